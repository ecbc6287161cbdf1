// Messages between the editor and the worker that renders its preview.

/** Texts that the renderer adds: table, task done, task open, footnotes, back to a reference. */
export type Labels = [string, string, string, string, string];

/** The editor's messages. */
export type ToWorker =
  | { type: "text"; kind: string; text: string; labels: Labels; outsideImages: boolean }
  | {
      type: "edit";
      /** Start and end of each change, in UTF-16 units of the text before all of them. */
      offsets: Uint32Array;
      inserts: string[];
      /** Parts near what is visible. */
      near: number[];
    }
  | { type: "near"; ids: number[] }
  | { type: "find"; anchor: string };

/** Rendered parts, each as one piece of HTML, or several of a very long block. */
export type Rendered = [id: number, pieces: string[]][];

/** Numbers of a part in a list. */
export const PLACE = 3;

/** The worker's messages. */
export type FromWorker =
  | {
      /** Answers each `text` and `edit`. */
      type: "state";
      /** Of each part `PLACE` numbers: id, approximate number of lines, length of its text in UTF-16 units. */
      parts: Uint32Array;
      html: Rendered;
      words: number;
      characters: number;
      lacksImages: boolean;
      isCut: boolean;
    }
  | { type: "html"; html: Rendered }
  | { type: "found"; anchor: string; id: number | undefined }
  | { type: "failed"; reason: string };
