//! Texts of every bundle. `docs/words.md` has the terms of each language.

use super::{Entry, filled, island_texts, of_count, plain};

island_texts! {
    COMMON_TEXTS;

    // Used by several islands.
    open: "Open", "開く", "打开";
    undo: "Undo", "元に戻す", "撤销";
    dismiss: "Dismiss", "閉じる", "关闭";
    times[count]: "({count} time)|({count} times)", "（{count} 回）", "（{count} 次）";
    words[count]: "{count} word|{count} words", "{count} 語", "{count} 个词";
    kind_markdown: "Markdown", "Markdown", "Markdown";
    kind_text: "Plain text", "プレーンテキスト", "纯文本";
    kind_json: "JSON", "JSON", "JSON";

    // Forms.
    errors_in_form[count]: "{count} field has an error|{count} fields have errors", "{count} 個の項目にエラーがあります", "{count} 个字段有错误";
    message_label: "What changed, and why", "変更の内容と理由", "更改内容及原因";
    message_limit(limit): "at most {limit}", "{limit} 文字以内", "最多 {limit} 字";
    message_left(count): "{count} left", "残り {count} 文字", "还可输入 {count} 字";
    message_over(count): "{count} too many", "{count} 文字超過", "超出 {count} 字";
}
