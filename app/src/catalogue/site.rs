//! Layout of every page, and small parts that several pages share.

super::texts! {
    skip: "Skip to the content", "メインコンテンツへ移動", "跳到主要内容";
    main: "Main", "メイン", "主导航";
    account: "Account", "アカウント", "账号";
    documents: "Documents", "ドキュメント", "文档";
    trash: "Trash", "ゴミ箱", "回收站";
    account_menu: "account menu", "アカウントメニュー", "账号菜单";
    signed_in_as: "Signed in as {}", "{} でログイン中", "已登录：{}";
    devices: "Signed-in devices", "ログイン中のデバイス", "已登录的设备";
    sign_in: "Sign in", "ログイン", "登录";
    sign_out: "Sign out", "ログアウト", "退出登录";
    create_account: "Create account", "アカウントを作成", "注册";
    api: "API", "API", "API";
    language: "Language", "言語", "语言";
    breadcrumbs: "Breadcrumbs", "パンくずリスト", "面包屑导航";
    contents: "Contents", "目次", "目录";
    history: "History", "履歴", "历史记录";
    read: "Read", "閲覧", "阅读";
    edit: "Edit", "編集", "编辑";
    open: "Open", "開く", "打开";
    download: "Download", "ダウンロード", "下载";
    restore: "Restore", "復元", "恢复";
    save: "Save", "保存", "保存";
    cancel: "Cancel", "キャンセル", "取消";
    commit: "Commit", "コミット", "提交";
    compare: "Compare", "比較", "比较";
    title: "Title", "タイトル", "标题";
    name: "Name", "名前", "名称";
    view: "View", "表示", "视图";
    list_separator: ", ", "、", "、";
    edited: "edited {}", "編集：{}", "编辑于 {}";
    edited_label: "edited ", "編集：", "编辑：";
    lines_added[count]: "{count} line added, |{count} lines added, ", "{count} 行追加、", "新增 {count} 行，";
    lines_removed[count]: "{count} line removed|{count} lines removed", "{count} 行削除", "删除 {count} 行";
    versions[count]: "{count} version|{count} versions", "{count} バージョン", "{count} 个版本";
    documents_count[count]: "{count} document|{count} documents", "{count} 件", "{count} 个文档";
    pages[count]: "{count} page|{count} pages", "{count} ページ", "{count} 页";
    previous: "Previous", "前へ", "上一页";
    next: "Next", "次へ", "下一页";
    page_of(page, pages, words): "Page {page} of {pages}, {words}", "{page} / {pages} ページ（{words}）", "第 {page} / {pages} 页，{words}";
    past_end: "This page is past the end", "最後のページを過ぎています", "已超出最后一页";
    past_end_text(words, pages): "{words} on {pages}.", "全 {pages}、{words}です。", "共 {pages}，{words}。";
    first_page: "First page", "最初のページ", "第一页";
    last_page: "Last page", "最後のページ", "最后一页";
    load_failed: "Parts of this page could not be loaded. Reload it to try again.", "ページの一部を読み込めませんでした。再読み込みしてください。", "页面的部分内容未能加载，请重新加载。";
    go_to_first_page: "Go to the first page", "最初のページへ", "前往第一页";
}
