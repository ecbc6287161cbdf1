//! The document list, the trash, reading, and the outcomes of their forms.

super::texts! {
    documents: "Documents", "ドキュメント", "文档";
    new: "New document", "新規作成", "新建文档";
    kind: "Kind", "種類", "类型";
    details_of(title): "Details of “{title}”", "「{title}」の情報", "“{title}”的信息";
    download_as: "Download as", "ダウンロード形式", "下载格式";
    default_format: "Default", "既定", "默认";
    create: "Create", "作成", "创建";
    search_label: "Search documents", "ドキュメントを検索", "搜索文档";
    search_hint: "Title or description", "タイトルまたは説明", "标题或描述";
    search: "Search", "検索", "搜索";
    sort: "Sort by", "並べ替え", "排序方式";
    sort_updated: "Last edited", "更新順", "最近编辑";
    sort_created: "Newest", "新しい順", "最新创建";
    sort_title: "Title", "タイトル", "标题";
    pages: "Pages of documents", "ドキュメントのページ", "文档分页";
    none: "No documents yet", "ドキュメントはまだありません", "还没有文档";
    none_text: "Start with a new document, or drop Markdown, text or JSON files anywhere on this page. Files are stored unchanged, byte for byte.", "新しいドキュメントを作成するか、Markdown、テキスト、JSON ファイルをこのページにドロップしてください。ファイルは 1 バイトも変えずに保存されます。", "新建一个文档，或将 Markdown、文本或 JSON 文件拖到此页面的任意位置。文件会逐字节原样保存。";
    no_match(query): "No documents match “{query}”", "「{query}」に一致するドキュメントはありません", "没有与“{query}”匹配的文档";
    no_match_text: "Try fewer or other words.", "語を減らすか、別の語でお試しください。", "请减少或更换关键词。";
    show_all: "Show all documents", "すべてのドキュメントを表示", "显示所有文档";
    actions(title): "Actions for {title}", "{title} の操作", "{title} 的操作";
    no_version_yet: "no version yet", "バージョンなし", "尚无版本";
    move_to_trash: "Move to trash", "ゴミ箱に移動", "移到回收站";

    trash: "Trash", "ゴミ箱", "回收站";
    trash_text: "Documents stay here until you restore them or delete them permanently.", "ドキュメントは、復元または完全に削除するまでここに残ります。", "文档会保留在此处，直到恢复或永久删除。";
    trash_none: "The trash is empty", "ゴミ箱は空です", "回收站为空";
    trash_none_text: "You can restore documents in the trash from here.", "ゴミ箱のドキュメントはここから復元できます。", "可在此恢复回收站中的文档。";
    trash_pages: "Pages of the trash", "ゴミ箱のページ", "回收站分页";
    moved_here: "moved here {}", "移動：{}", "移入时间：{}";
    purge: "Delete permanently", "完全に削除", "永久删除";
    purge_warning: "The text and all of its versions will be deleted. This cannot be undone.", "本文とすべてのバージョンが削除されます。元に戻すことはできません。", "正文及所有版本都将被删除，且无法撤销。";
    purge_yes: "Yes, delete permanently", "完全に削除する", "确认永久删除";

    by: "By {}", "オーナー：{}", "所有者：{}";
    about: "About this document", "このドキュメントについて", "关于此文档";
    beginning: "This is the beginning of a long text.", "長い本文の冒頭です。", "这是长文本的开头部分。";
    read_all: "Read all of it", "すべて閲覧", "阅读全文";
    without_script: "Without JavaScript you can read and commit the text, but not edit it.", "JavaScript が無効な場合、本文の閲覧とコミットはできますが、編集はできません。", "未启用 JavaScript 时可以阅读和提交正文，但不能编辑。";

    created(title): "“{title}” was created.", "「{title}」を作成しました。", "已创建“{title}”。";
    renamed(title): "Renamed to “{title}”.", "「{title}」に名前を変更しました。", "已重命名为“{title}”。";
    saved(title): "The details of “{title}” were saved.", "「{title}」の情報を保存しました。", "已保存“{title}”的信息。";
    trashed(title): "“{title}” was moved to the trash.", "「{title}」をゴミ箱に移動しました。", "已将“{title}”移到回收站。";
    restored(title): "“{title}” was restored.", "「{title}」を復元しました。", "已恢复“{title}”。";
    purged(title): "“{title}” was permanently deleted.", "「{title}」を完全に削除しました。", "已永久删除“{title}”。";
    untitled: "Untitled", "無題", "未命名";
    uploaded[count]: "{count} file uploaded.|{count} files uploaded.", "{count} 個のファイルをアップロードしました。", "已上传 {count} 个文件。";
}
