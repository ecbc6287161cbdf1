//! The history of a text, edit by edit.

super::texts! {
    page(title): "Timeline of “{title}”", "「{title}」のタイムライン", "“{title}”的时间线";
    none: "No edits yet", "編集はまだありません", "还没有编辑";
    none_text: "Every edit is kept from the first one on, and can be played here.", "最初の編集から、すべての編集がここで再生できます。", "从第一次编辑起，每次编辑都会保留，并可在此播放。";
    starts_later(number): "Edits before number {number} are not kept any more.", "編集 {number} より前の編集は保存期間を過ぎました。", "第 {number} 次编辑之前的编辑已不再保留。";
    sessions: "Editing sessions", "編集セッション", "编辑会话";
    sessions_text: "Each session opens the text as it was at its end.", "各セッションを開くと、終了時の本文が表示されます。", "打开会话可查看其结束时的正文。";
    earlier: "Earlier sessions", "以前のセッション", "更早的会话";
    session_edits(from, to): "Edits {from}–{to}", "編集 {from}–{to}", "第 {from}–{to} 次编辑";
    units_added[count]: "{count} character added, |{count} characters added, ", "{count} 文字追加、", "新增 {count} 个字符，";
    units_removed[count]: "{count} character removed|{count} characters removed", "{count} 文字削除", "删除 {count} 个字符";
    former: "Former member", "以前のメンバー", "前成员";
    text_after(number): "Text after edit {number}", "編集 {number} の後の本文", "第 {number} 次编辑后的正文";
    nearest: "There is no such moment in this history. This is the nearest one.", "この履歴にその時点はありません。最も近い時点を表示しています。", "历史记录中没有此时刻，显示的是最近的时刻。";
    text_now: "Current text", "現在の本文", "当前正文";
    beginning: "This is the beginning of a long text.", "長い本文の冒頭です。", "这是长篇正文的开头。";
    whole: "Open the whole text", "全文を開く", "打开全文";
    restore: "Restore this moment", "この時点を復元", "恢复到此时刻";
    restore_warning: "This replaces the current text with the text of this moment. The current text is committed first, so nothing is lost.", "現在の本文をこの時点の本文に置き換えます。現在の本文は先にコミットされるため、失われません。", "当前正文将被替换为此时刻的正文。系统会先提交当前正文，不会丢失任何内容。";
    restore_yes: "Yes, restore this moment", "この時点を復元する", "确认恢复到此时刻";
    restored(seq, new, before): "The text after edit {seq} was restored as version {new}. Version {before} has the text from before.", "編集 {seq} の後の本文をバージョン {new} として復元しました。以前の本文はバージョン {before} にあります。", "第 {seq} 次编辑后的正文已恢复为版本 {new}。之前的正文在版本 {before} 中。";
}
