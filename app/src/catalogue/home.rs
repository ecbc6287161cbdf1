//! The landing page.

super::texts! {
    page: "Write together, lose nothing", "共に書き、何も失わない", "共同书写，万无一失";
    heading: "Write together. Lose\u{a0}nothing.", "共に書く。何も失わない。", "共同书写，万无一失。";
    lead: "Izanagi keeps your documents and every version of them. Any version can be read, compared and restored.", "Izanagi はドキュメントとそのすべてのバージョンを保管します。どのバージョンも閲覧、比較、復元できます。", "Izanagi 保存文档及其所有版本。任何版本都可以阅读、比较和恢复。";
    create_account: "Create an account", "アカウントを作成", "注册账号";
    saved: "Saved means saved", "「保存済み」なら確実に保存", "“已保存”就是已保存";
    saved_text: "When the page says Saved, your text survives a crash of the browser or the server.", "「保存済み」と表示された本文は、ブラウザーやサーバーが異常終了しても失われません。", "显示“已保存”后，即使浏览器或服务器崩溃，内容也不会丢失。";
    history: "History is read-only", "履歴は書き換わらない", "历史记录只读";
    history_text: "A committed version never changes. Each version keeps its author, message and checksum.", "コミットしたバージョンは変わりません。作成者、メッセージ、チェックサムも残ります。", "已提交的版本不会改变。每个版本都保留作者、说明和校验和。";
    own: "Runs on your machine", "自分のマシンで動作", "在自己的机器上运行";
    own_text: "One program, one file. Nothing is sent to third parties, and you can export your text as plain Markdown at any time.", "プログラム 1 つ、ファイル 1 つ。第三者には何も送信されず、本文はいつでもプレーンな Markdown として書き出せます。", "一个程序，一个文件。不向第三方发送任何数据，随时可将内容导出为纯 Markdown。";
    sample_title: "Line 13, version 6 to 7", "13 行目、バージョン 6 から 7", "第 13 行，版本 6 到 7";
    sample_heading: "## Before the boat leaves", "## 出航の前に", "## 开船之前";
    sample_leaves: "The ferry leaves at ", "フェリーは ", "渡轮于";
    sample_old_time: "half past nine", "9 時 30 分", "九点半";
    sample_new_time: "ten past nine", "9 時 10 分", "九点十分";
    sample_from: " from pier ", "に、桟橋 ", "从";
    sample_old_pier: "two", "2", "二号";
    sample_new_pier: "four", "4", "四号";
    sample_end: ".", " から出ます。", "码头出发。";
    sample_bring: "Bring:", "持ち物：", "携带：";
    sample_caption: "Two versions compared, down to the word.", "2 つのバージョンを単語単位で比較。", "逐词比较两个版本。";
}
