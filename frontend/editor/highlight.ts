import { tagHighlighter, tags } from "@lezer/highlight";

/** Maps tokens to the classes of style/components/code.css, so that code looks the same as in reading pages. */
export const codeClasses = tagHighlighter([
  { tag: tags.heading, class: "tok-heading" },
  { tag: tags.strong, class: "tok-strong" },
  { tag: tags.emphasis, class: "tok-emphasis" },
  { tag: tags.strikethrough, class: "tok-strikethrough" },
  { tag: tags.link, class: "tok-link" },
  { tag: tags.url, class: "tok-url" },
  { tag: tags.monospace, class: "tok-monospace" },
  { tag: tags.quote, class: "tok-quote" },
  { tag: [tags.comment, tags.contentSeparator], class: "tok-comment" },
  { tag: [tags.meta, tags.processingInstruction, tags.labelName], class: "tok-meta" },
  { tag: tags.escape, class: "tok-escape" },
  { tag: [tags.separator, tags.squareBracket, tags.brace], class: "tok-punctuation" },
  { tag: tags.propertyName, class: "tok-attr" },
  { tag: tags.string, class: "tok-string" },
  { tag: tags.number, class: "tok-number" },
  { tag: [tags.bool, tags.null], class: "tok-constant" },
  { tag: tags.invalid, class: "tok-invalid" },
]);
