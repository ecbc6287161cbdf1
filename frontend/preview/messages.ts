// Messages between the editor and the worker that renders its preview.

/** Texts that the renderer adds: table, task done, task open, footnotes, back to a reference. */
export type Labels = [string, string, string, string, string];

/** The editor's messages. */
export type ToWorker =
  | { type: "text"; kind: string; text: string; labels: Labels; outsideImages: boolean; near: number[] }
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

/** Rendered parts, each as one piece of HTML, or several of a very long block (frontend/editor/split-html.ts). */
export type Rendered = [id: number, pieces: string[]][];

/** The worker's messages. */
export type FromWorker =
  | {
      /** Answers each `text` and `edit`. */
      type: "state";
      /** Id and approximate number of lines of each part, one after the other. */
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
