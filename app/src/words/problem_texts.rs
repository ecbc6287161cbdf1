//! Words of every code that a page may show, of problems and of fields. `{0}` is the first of the
//! problem's `args`. `error.title.blank` is the error `blank` of the field `title`, `error.blank`
//! that of any other field.

use super::Entry;

/// Defines texts by key, with the arguments they mention.
macro_rules! problem_texts {
    ($( $key:literal $([ $($arg:literal),+ ])? : $en:literal, $ja:literal, $zh:literal; )+) => {
        /// Every text defined here.
        pub const PROBLEM_TEXTS: &[Entry] = &[$( Entry {
            key: $key,
            args: &[ $($($arg),+)? ],
            texts: [$en, $ja, $zh],
        } ),+];
    };
}

problem_texts! {
    "problem.invalid": "Some fields are invalid.", "入力内容に誤りがあります。", "部分字段有误。";
    "problem.invalid_form": "Something in this request is missing or has the wrong form.", "リクエストに不足または誤りがあります。", "请求不完整或格式有误。";
    "problem.unauthenticated": "Sign in first.", "ログインしてください。", "请先登录。";
    "problem.invalid_credentials": "Wrong username or password.", "ユーザー名またはパスワードが正しくありません。", "用户名或密码错误。";
    "problem.session_revoked": "This session has ended. Sign in again.", "ログインの有効期限が切れました。もう一度ログインしてください。", "登录已失效，请重新登录。";
    "problem.forbidden": "You do not have permission to do this.", "この操作を行う権限がありません。", "没有执行此操作的权限。";
    "problem.foreign_origin": "This request came from another site. Open Izanagi and try again there.", "別のサイトからのリクエストです。Izanagi を開いて、もう一度お試しください。", "此请求来自其他网站。请打开 Izanagi 后重试。";
    "problem.unknown_host" ["0"]: "This server does not know its name. Set {0} to the URL that browsers use, or open it by its address.", "このサーバーには名前が設定されていません。ブラウザーで使うアドレスを {0} に設定するか、数字のアドレスで開いてください。", "此服务器未设置名称。请将 {0} 设为浏览器使用的网址，或通过数字地址打开。";
    "problem.not_found": "This does not exist, or no longer exists.", "見つかりません。すでに削除された可能性があります。", "内容不存在或已被删除。";
    "problem.stale": "The document has changed since you read it.", "読み込んだ後にドキュメントが変更されました。", "文档在读取后已被更改。";
    "problem.nothing_to_commit": "Nothing has changed since the last version.", "前のバージョンから変更がありません。", "自上一版本以来没有更改。";
    "problem.last_owner": "A document needs at least one owner.", "ドキュメントには少なくとも 1 人のオーナーが必要です。", "文档至少需要一位所有者。";
    "problem.trashed": "This document is in the trash. Restore it first.", "このドキュメントはゴミ箱にあります。先に復元してください。", "此文档在回收站中，请先恢复。";
    "problem.not_trashed": "Move the document to the trash first.", "先にドキュメントをゴミ箱に移動してください。", "请先将文档移到回收站。";
    "problem.bad_update": "The server cannot accept this edit.", "サーバーがこの編集を受け付けませんでした。", "服务器无法接受此编辑。";
    "problem.too_large": "This exceeds the size limit.", "サイズの上限を超えています。", "超出大小上限。";
    "problem.unsupported_media_type": "This type of file is not supported.", "この種類のファイルには対応していません。", "不支持此类文件。";
    "problem.malformed_body": "The server cannot read this request.", "サーバーがリクエストを読み取れませんでした。", "服务器无法读取此请求。";
    "problem.method_not_allowed": "This address does not support this action.", "このアドレスではこの操作を行えません。", "此地址不支持该操作。";
    "problem.rate_limited" ["0"]: "Too many requests. Try again in {0} s.", "リクエストが多すぎます。{0} 秒後にもう一度お試しください。", "请求过于频繁，请在 {0} 秒后重试。";
    "problem.overloaded" ["0"]: "The server is busy. Try again in {0} s.", "サーバーが混み合っています。{0} 秒後にもう一度お試しください。", "服务器繁忙，请在 {0} 秒后重试。";
    "problem.unavailable": "The storage is temporarily unavailable. Try again.", "ストレージを一時的に利用できません。もう一度お試しください。", "存储暂时不可用，请重试。";
    "problem.timeout": "The request took too long to arrive.", "リクエストの受信に時間がかかりすぎました。", "接收请求超时。";
    "problem.corrupt_document": "This document is damaged and cannot be edited. Run “izanagi fsck --repair” on the server.", "このドキュメントは破損しているため編集できません。サーバーで「izanagi fsck --repair」を実行してください。", "此文档已损坏，无法编辑。请在服务器上运行“izanagi fsck --repair”。";
    "problem.lineage_changed": "This document was restored from its stored text. Reload it.", "このドキュメントは保存済みの本文から復元されました。再読み込みしてください。", "此文档已从存储的正文恢复。请重新加载。";
    "problem.corrupt_version" ["0"]: "Version {0} is damaged. Run “izanagi fsck” on the server.", "バージョン {0} が破損しています。サーバーで「izanagi fsck」を実行してください。", "版本 {0} 已损坏。请在服务器上运行“izanagi fsck”。";
    "problem.internal": "Something went wrong on our side.", "サーバーで問題が発生しました。", "服务器出现问题。";
    "problem.unreachable": "The server cannot be reached. Try again in a moment.", "サーバーに接続できません。しばらくしてからもう一度お試しください。", "无法连接服务器，请稍后重试。";
    "problem.unreachable_typed": "The server cannot be reached. Try again in a moment. What you typed is still here.", "サーバーに接続できません。しばらくしてからもう一度お試しください。入力した内容は残っています。", "无法连接服务器，请稍后重试。输入的内容仍然保留。";
    "problem.unexpected_answer": "This page does not understand the server's response. Reload it, then try again.", "サーバーの応答を処理できません。ページを再読み込みして、もう一度お試しください。", "无法处理服务器的响应。请重新加载页面后重试。";

    "error.too_long" ["0", "1"]: "Use at most {0} characters; this has {1}.", "{0} 文字以内で入力してください（現在 {1} 文字）。", "最多 {0} 个字符，当前为 {1} 个。";
    "error.control_character" ["0"]: "The character {0} is not allowed here.", "文字 {0} は使用できません。", "不能使用字符 {0}。";
    "error.out_of_range" ["0"]: "Use a number from 1 to {0}.", "1 から {0} までの数値を指定してください。", "请使用 1 到 {0} 之间的数字。";
    "error.kind.invalid": "Use markdown, text or json.", "Markdown、テキスト、JSON から選択してください。", "请选择 Markdown、文本或 JSON。";
    "error.renderFormat.invalid": "Use html or markdown.", "HTML または Markdown を選択してください。", "请选择 HTML 或 Markdown。";
    "error.login.blank": "Enter your username or email.", "ユーザー名またはメールアドレスを入力してください。", "请输入用户名或邮箱。";
    "error.login.too_long" ["0"]: "A username or email has at most {0} characters.", "ユーザー名とメールアドレスは {0} 文字以内です。", "用户名或邮箱最多 {0} 个字符。";
    "error.username.blank": "Enter a username.", "ユーザー名を入力してください。", "请输入用户名。";
    "error.username.invalid" ["0"]: "“{0}” cannot be part of a username. Use a–z, 0–9, _ and -.", "ユーザー名に「{0}」は使用できません。a–z、0–9、_、- を使用してください。", "用户名不能包含“{0}”。请使用 a–z、0–9、_ 和 -。";
    "error.username.too_short": "Use 3 to 32 characters: a–z, 0–9, _ and -.", "a–z、0–9、_、- を使って 3～32 文字で入力してください。", "请使用 3 到 32 个字符：a–z、0–9、_ 和 -。";
    "error.username.too_long" ["1"]: "Use 3 to 32 characters; this has {1}.", "3～32 文字で入力してください（現在 {1} 文字）。", "请使用 3 到 32 个字符，当前为 {1} 个。";
    "error.username.username_taken": "That username is taken.", "このユーザー名はすでに使われています。", "该用户名已被使用。";
    "error.email.blank": "Enter an email address.", "メールアドレスを入力してください。", "请输入邮箱。";
    "error.email.invalid": "Enter an email address such as name@example.org.", "name@example.org のようなメールアドレスを入力してください。", "请输入邮箱地址，例如 name@example.org。";
    "error.email.email_taken": "An account with this email exists.", "このメールアドレスのアカウントはすでに存在します。", "该邮箱已注册账号。";
    "error.password.blank": "Enter a password.", "パスワードを入力してください。", "请输入密码。";
    "error.password.too_short" ["0", "1"]: "Use at least {0} characters; this has {1}.", "{0} 文字以上で入力してください（現在 {1} 文字）。", "至少需要 {0} 个字符，当前为 {1} 个。";
    "error.password.common": "Many people use this password. Choose another one.", "よく使われているパスワードです。別のパスワードを選んでください。", "此密码过于常见，请换一个。";
    "error.password.own_name": "This is your name or email. Choose another password.", "名前やメールアドレスはパスワードに使用できません。別のパスワードを選んでください。", "不能使用自己的名字或邮箱作为密码，请换一个。";
    "error.displayName.blank": "Enter a display name, or leave this field out.", "表示名を入力してください。", "请输入显示名称。";
    "error.title.blank": "Enter a title.", "タイトルを入力してください。", "请输入标题。";
    "error.name.blank": "Enter a name for this version.", "バージョンの名前を入力してください。", "请输入版本名称。";
    "error.query.too_long" ["0"]: "Use at most {0} characters.", "{0} 文字以内で入力してください。", "最多 {0} 个字符。";
    "error.version.invalid": "Use a version number, or live.", "バージョン番号または live を指定してください。", "请使用版本号或 live。";
    "error.file.required": "Choose a file first.", "先にファイルを選択してください。", "请先选择文件。";
    "error.file.too_many" ["0", "1"]: "Upload at most {0} files at once; “{1}” exceeds this limit.", "一度にアップロードできるファイルは {0} 個までです。「{1}」は上限を超えています。", "一次最多上传 {0} 个文件，“{1}”超出上限。";
    "error.file.unsupported_type" ["0"]: "“{0}” is not a .md, .txt or .json file.", "「{0}」は .md、.txt、.json のいずれのファイルでもありません。", "“{0}”不是 .md、.txt 或 .json 文件。";
    "error.file.not_utf8" ["0", "1"]: "“{0}” is not UTF-8 text: byte {1} is not part of a character.", "「{0}」は UTF-8 のテキストではありません（{1} バイト目）。", "“{0}”不是 UTF-8 文本：第 {1} 字节有误。";
    "error.file.invalid_json" ["0", "1", "2"]: "“{0}” is not valid JSON: line {1}, column {2}.", "「{0}」は正しい JSON ではありません（{1} 行 {2} 列）。", "“{0}”不是有效的 JSON：第 {1} 行第 {2} 列。";
    "error.file.too_large" ["0"]: "“{0}” exceeds the limit of 10 MiB.", "「{0}」は上限の 10 MiB を超えています。", "“{0}”超过 10 MiB 的上限。";
    "error.file.control_character" ["0", "1"]: "“{0}” contains the character {1}, which is not allowed.", "「{0}」に使用できない文字 {1} が含まれています。", "“{0}”包含不允许的字符 {1}。";
}
