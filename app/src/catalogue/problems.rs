//! Pages that cannot be shown: a title and advice. `words::problem` has the words of each code.

super::texts! {
    error: "Error {}", "エラー {}", "错误 {}";
    request: "Request {}", "リクエスト {}", "请求 {}";
    try_again: "Try again", "再試行", "重试";
    to_documents: "Go to your documents", "ドキュメント一覧へ", "前往文档列表";
    to_history: "Go to the history", "履歴へ", "前往历史记录";
    to_home: "Go to the home page", "ホームへ", "前往首页";
    sign_in: "Sign in first", "ログインが必要です", "请先登录";
    sign_in_advice: "Sign in to open this page.", "このページを開くにはログインしてください。", "登录后才能打开此页面。";
    forbidden: "You do not have access to this document", "このドキュメントにアクセスできません", "没有访问此文档的权限";
    forbidden_advice: "You are signed in, but its owners have not given you the right to do that. Ask one of them, or go back to your own documents.", "ログインしていますが、オーナーからこの操作の権限を与えられていません。オーナーに依頼するか、自分のドキュメントに戻ってください。", "已登录，但所有者未授予相应权限。请联系所有者，或返回自己的文档。";
    not_found: "There is nothing at this address", "ページが見つかりません", "页面不存在";
    not_found_advice: "The document may have been deleted, or the link may be incomplete.", "ドキュメントが削除されたか、リンクが不完全な可能性があります。", "文档可能已被删除，或链接不完整。";
    damaged_document: "This document is damaged", "このドキュメントは破損しています", "此文档已损坏";
    damaged: "This version is damaged", "このバージョンは破損しています", "此版本已损坏";
    unreachable: "The server cannot be reached", "サーバーに接続できません", "无法连接服务器";
    unreachable_advice: "Check your connection, then try again.", "接続を確認して、もう一度お試しください。", "请检查网络连接，然后重试。";
    overloaded: "The server is busy", "サーバーが混み合っています", "服务器繁忙";
    busy: "Too many requests", "リクエストが多すぎます", "请求过于频繁";
    foreign: "Cross-site request", "別のサイトからのリクエスト", "跨站请求";
    internal: "Something went wrong on our side", "サーバーで問題が発生しました", "服务器出现问题";
    internal_advice: "Nothing you saved is lost. Try again in a moment; if it stays, tell the person who runs this server the number below.", "保存した内容は失われていません。しばらくしてから再試行し、解決しない場合は下の番号をサーバーの管理者に伝えてください。", "已保存的内容不会丢失。请稍后重试；若仍有问题，请将下方编号告知服务器管理员。";
    other: "This page cannot be shown", "このページを表示できません", "无法显示此页面";
}
