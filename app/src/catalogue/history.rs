//! The list of versions.

super::texts! {
    page(title): "History of “{title}”", "「{title}」の履歴", "“{title}”的历史记录";
    pages: "Pages of history", "履歴のページ", "历史记录分页";
    newer: "Newer", "新しい", "较新";
    older: "Older", "古い", "较旧";
    from: "From", "比較元", "从";
    to: "To", "比較先", "到";
    now: "Now", "現在", "当前";
    not_committed: "not committed", "未コミット", "未提交";
    committed: "committed", "コミット済み", "已提交";
    now_changed: "The current text, with edits since the newest version.", "最新バージョンより後の編集を含む現在の本文です。", "当前正文，包含最新版本之后的编辑。";
    now_same: "The current text, identical to the newest version.", "最新バージョンと同じ現在の本文です。", "当前正文，与最新版本相同。";
    compare_from_now: "Compare from the current text", "現在の本文を比較元にする", "以当前正文为比较起点";
    compare_to_now: "Compare to the current text", "現在の本文を比較先にする", "以当前正文为比较终点";
    compare_from(number): "Compare from version {number}", "バージョン {number} を比較元にする", "以版本 {number} 为比较起点";
    compare_to(number): "Compare to version {number}", "バージョン {number} を比較先にする", "以版本 {number} 为比较终点";
    version(number): "Version {number}", "バージョン {number}", "版本 {number}";
    restored(number): "Restored version {number}", "バージョン {number} を復元", "恢复版本 {number}";
    before_restoring(number): "Before restoring version {number}", "バージョン {number} を復元する前", "恢复版本 {number} 之前";
    restored_edit(number): "Restored the text after edit {number}", "編集 {number} の後の本文を復元", "恢复第 {number} 次编辑后的正文";
    before_restoring_edit(number): "Before restoring the text after edit {number}", "編集 {number} の後の本文を復元する前", "恢复第 {number} 次编辑后的正文之前";
    guest: "Guest", "ゲスト", "访客";
    server: "Server", "サーバー", "服务器";
    damaged: "Damaged: its message, author, time or title was changed outside Izanagi, or the version before it is missing.", "破損：メッセージ、作成者、日時、タイトルのいずれかが Izanagi の外部で変更されたか、直前のバージョンが欠落しています。", "已损坏：其说明、作者、时间或标题在 Izanagi 之外被更改，或缺少前一个版本。";
    no_message: "No message", "メッセージなし", "无说明";
    actions(number): "Actions for version {number}", "バージョン {number} の操作", "版本 {number} 的操作";
    show_changes: "Show changes", "変更を表示", "查看更改";
    optional: "Optional.", "任意", "可选";
    set_name: "Name", "名前を付ける", "命名";
    none: "No versions yet", "バージョンはまだありません", "还没有版本";
    none_text: "Commit the text to keep its current state. You can read, compare and restore every version.", "本文をコミットすると現在の状態が残ります。どのバージョンも閲覧、比較、復元できます。", "提交正文即可保留当前状态。每个版本都可以阅读、比较和恢复。";
}
