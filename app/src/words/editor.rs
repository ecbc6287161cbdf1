//! Texts of the editor.

use super::{Entry, filled, island_texts, of_count, plain};

island_texts! {
    EDITOR_TEXTS;

    brand_title(title): "{title} – Izanagi", "{title} – Izanagi", "{title} – Izanagi";
    close: "Close", "閉じる", "关闭";
    cancel: "Cancel", "キャンセル", "取消";
    commit: "Commit", "コミット", "提交";
    history: "History", "履歴", "历史记录";
    preview: "Preview", "プレビュー", "预览";
    read: "Read", "閲覧", "阅读";
    reload: "Reload", "再読み込み", "重新加载";
    restore: "Restore", "復元", "恢复";
    try_again: "Try again", "再試行", "重试";
    characters[count]: "{count} character|{count} characters", "{count} 文字", "{count} 个字符";
    edit_title: "Edit “{}”", "「{}」を編集", "编辑“{}”";
    edit_details: "Edit details", "情報を編集", "编辑信息";
    version_title: "Title (optional)", "タイトル（任意）", "标题（可选）";
    title: "Title", "タイトル", "标题";
    title_kept: "A document needs a title. The previous title was kept.", "タイトルを入力してください。元のタイトルを残しました。", "文档需要标题，已保留原标题。";
    text_area: "Text", "本文", "正文";
    text_of(title): "Text of “{title}”", "「{title}」の本文", "“{title}”的正文";
    document_tools: "Document", "ドキュメント", "文档";
    view: "View", "表示", "视图";
    write: "Write", "編集", "编辑";
    images_left_out: "Images of other sites are not loaded, so that those sites do not learn that you read this.", "ほかのサイトに閲覧を知られないよう、ほかのサイトの画像は読み込んでいません。", "未加载其他网站的图片，以免这些网站得知阅读。";
    load_images: "Load images", "画像を読み込む", "加载图片";
    truncated: "The rest is not shown: this text has too much formatting. Download it to read all of it.", "書式が多すぎるため、以降は表示していません。すべて読むにはダウンロードしてください。", "格式过多，其余部分未显示。请下载以阅读全文。";
    parts_left_out: "Only what is near is in the page. Show all of it to search it with your browser.", "表示位置の近くだけを読み込んでいます。ブラウザーで検索するには、すべて表示してください。", "页面仅包含附近的内容。要用浏览器搜索，请显示全部。";
    show_all: "Show all", "すべて表示", "显示全部";
    getting_ready: "Getting the editor ready…", "エディターを準備しています…", "正在准备编辑器…";
    not_saved_yet: "Not saved yet", "まだ保存されていません", "尚未保存";
    read_only: "Read only", "閲覧のみ", "只读";
    in_trash: "This document is in the trash and read-only. Restore it to edit it.", "このドキュメントはゴミ箱にあるため、閲覧のみできます。編集するには復元してください。", "此文档在回收站中，只能阅读。恢复后即可编辑。";
    too_long: "This would exceed the limit of 10 MiB of text. Nothing was changed.", "本文の上限（10 MiB）を超えるため、変更しませんでした。", "正文会超过 10 MiB 的上限，未作任何更改。";
    commit_waiting: "Waiting until your last edits are saved…", "最後の編集の保存を待っています…", "正在等待保存最后的编辑…";
    commit_sent: "Committing…", "コミット中…", "正在提交…";
    state_saved: "Saved", "保存済み", "已保存";
    state_saving: "Saving…", "保存中…", "正在保存…";
    state_slow: "Not saved yet…", "まだ保存されていません…", "尚未保存…";
    state_offline: "Offline", "オフライン", "离线";
    state_kept[count]: "Offline, {count} edit on this device|Offline, {count} edits on this device", "オフライン（{count} 件の編集をこのデバイスに保存）", "离线，{count} 处编辑保存在此设备上";
    state_unkept[count]: "Offline, {count} edit in this tab only|Offline, {count} edits in this tab only", "オフライン（{count} 件の編集はこのタブにのみあります）", "离线，{count} 处编辑仅在此标签页中";
    state_not_saved(reason): "Not saved: {reason}", "保存できません：{reason}", "未保存：{reason}";
    sign_in_again: "Sign in again", "もう一度ログイン", "重新登录";
    copy_text: "Copy the text", "本文をコピー", "复制正文";
    download_text: "Download the text", "本文をダウンロード", "下载正文";
    trouble_signed_out_kept: "Your session has ended. Your last edits are kept on this device. Sign in again in a new tab, then return here and try again.", "ログインの有効期限が切れました。最後の編集はこのデバイスに残っています。新しいタブでログインし、このページに戻って再試行してください。", "登录已失效。最后的编辑保留在此设备上。请在新标签页中登录，然后返回此处重试。";
    trouble_signed_out_unkept: "Your session has ended. Your last edits are kept in this tab only: keep it open. Sign in again in a new tab, then return here and try again.", "ログインの有効期限が切れました。最後の編集はこのタブにのみ残っています。タブを閉じずに、新しいタブでログインし、このページに戻って再試行してください。", "登录已失效。最后的编辑仅保留在此标签页中，请勿关闭。请在新标签页中登录，然后返回此处重试。";
    trouble_trashed_kept: "This document was moved to the trash, so edits are no longer saved. Yours are kept on this device until you restore it.", "このドキュメントはゴミ箱に移動されたため、編集は保存されません。復元するまで、編集はこのデバイスに残ります。", "此文档已移到回收站，编辑不再保存。恢复之前，编辑保留在此设备上。";
    trouble_trashed_unkept: "This document was moved to the trash, so edits are no longer saved. Yours are kept in this tab only: keep it open and restore the document.", "このドキュメントはゴミ箱に移動されたため、編集は保存されません。編集はこのタブにのみ残っています。タブを閉じずに復元してください。", "此文档已移到回收站，编辑不再保存。编辑仅保留在此标签页中，请勿关闭并恢复文档。";
    trouble_signed_out: "Your session has ended, so the text is hidden. All your edits are saved. Sign in again in a new tab, then return here.", "ログインしていないため、本文を隠しています。編集はすべて保存されています。新しいタブでログインし、このページに戻ってください。", "登录已失效，因此隐藏了正文。所有编辑均已保存。请在新标签页中登录，然后返回此处。";
    trouble_other_user: "Another account has signed in in this browser, so the text is hidden. Edits that were not saved are kept on this device for your next sign-in.", "このブラウザーで別のアカウントがログインしたため、本文を隠しています。未保存の編集は、次回のログインまでこのデバイスに残ります。", "此浏览器已登录其他账号，因此隐藏了正文。未保存的编辑保留在此设备上，待下次登录。";
    trouble_other_user_unkept: "Another account has signed in in this browser, so the text is hidden. Edits that were not saved are in this tab only: keep it open, and sign in again with your account in a new tab.", "このブラウザーで別のアカウントがログインしたため、本文を隠しています。未保存の編集はこのタブにのみあります。タブを閉じずに、新しいタブで元のアカウントにログインしてください。", "此浏览器已登录其他账号，因此隐藏了正文。未保存的编辑仅在此标签页中，请勿关闭，并在新标签页中重新登录原账号。";
    not_signed_in: "You are not signed in yet.", "まだログインしていません。", "尚未登录。";
    not_reachable: "The server cannot be reached. Try again in a moment.", "サーバーに接続できません。しばらくしてからもう一度お試しください。", "无法连接服务器，请稍后重试。";
    reason_restored: "this document was restored from an earlier state.", "このドキュメントは以前の状態から復元されました。", "此文档已从较早的状态恢复。";
    reason_former: "edits from before this document was restored wait for you.", "このドキュメントが復元される前の編集があります。", "此文档恢复之前的编辑等待处理。";
    trouble_restored_kept: "This document was restored from an earlier state. It lacks words that you see here. They are kept on this device until you decide. Changes by others do not arrive until then.", "このドキュメントは以前の状態から復元されました。ここに表示されている内容の一部が含まれていません。決めるまで、このデバイスに残ります。それまで、ほかの人の変更は届きません。", "此文档已从较早的状态恢复，缺少此处显示的部分内容。在作出决定之前，这些内容保留在此设备上，他人的更改也不会显示。";
    trouble_restored_unkept: "This document was restored from an earlier state. It lacks words that you see here. They are in this tab only: keep it open until you have decided. Changes by others do not arrive until then.", "このドキュメントは以前の状態から復元されました。ここに表示されている内容の一部が含まれていません。その内容はこのタブにのみあります。決めるまでタブを閉じないでください。それまで、ほかの人の変更は届きません。", "此文档已从较早的状态恢复，缺少此处显示的部分内容。这些内容仅在此标签页中，作出决定之前请勿关闭。在此之前，他人的更改不会显示。";
    trouble_former: "This document was restored from an earlier state. This device has edits of yours from before that could not be added by themselves. They are kept until you decide.", "このドキュメントは以前の状態から復元されました。復元前の編集がこのデバイスにあり、自動では追加できませんでした。決めるまで残ります。", "此文档已从较早的状态恢复。此设备上有恢复之前的编辑，无法自动加入，在作出决定之前会一直保留。";
    add_back: "Add them back", "元に戻して追加", "重新加入";
    use_restored: "Use the restored text", "復元された本文を使う", "使用恢复的正文";
    discard_former: "Discard them", "破棄", "舍弃";
    trouble_refused_kept(reason): "Your last edits are not saved: {reason} They are kept on this device.", "最後の編集を保存できません。{reason}編集はこのデバイスに残っています。", "最后的编辑未能保存。{reason}编辑保留在此设备上。";
    trouble_refused_unkept(reason): "Your last edits are not saved: {reason} They are kept in this tab only: keep it open.", "最後の編集を保存できません。{reason}編集はこのタブにのみ残っています。タブを閉じないでください。", "最后的编辑未能保存。{reason}编辑仅保留在此标签页中，请勿关闭。";
    trouble_not_started: "The editor could not be loaded, so the text is read-only. Check your connection, then reload the page.", "エディターを読み込めなかったため、本文は閲覧のみできます。接続を確認し、ページを再読み込みしてください。", "编辑器未能加载，正文只能阅读。请检查网络连接，然后重新加载页面。";
    reason_signed_out: "sign in again", "もう一度ログインしてください", "请重新登录";
    reason_trashed: "the document is in the trash.", "ドキュメントはゴミ箱にあります。", "文档在回收站中。";
    reason_unknown: "the server gave no reason.", "サーバーから理由が返されませんでした。", "服务器未说明原因。";
    reason_cannot_merge: "this page cannot apply edits by others. Reload it to continue.", "ほかの人の編集を適用できません。ページを再読み込みしてください。", "此页面无法应用他人的编辑。请重新加载页面。";
    version_now(number): "Version {number}", "バージョン {number}", "版本 {number}";
    no_version: "No version yet", "バージョンなし", "尚无版本";
    committed_elsewhere(name, number): "{name} committed version {number}.", "{name} さんがバージョン {number} をコミットしました。", "{name} 提交了版本 {number}。";
    restored_elsewhere(name, number): "{name} restored version {number}.", "{name} さんがバージョン {number} を復元しました。", "{name} 恢复了版本 {number}。";
    restored_edit_elsewhere(name, seq): "{name} restored the text after edit {seq}.", "{name} さんが編集 {seq} の後の本文を復元しました。", "{name} 恢复了第 {seq} 次编辑后的正文。";
    another_person: "Another person", "ほかの人", "其他人";
    people_here: "People here", "参加者", "在线的人";
    people_all(count): "Everyone here: {count}", "参加者：{count} 人", "在线人数：{count}";
    people_now(count): "People here now: {count}", "現在の参加者：{count} 人", "当前在线人数：{count}";
    person_unnamed: "Unnamed", "名前なし", "未命名";
    person_you(name): "{name} (you)", "{name}（自分）", "{name}（自己）";
    person_follow(name): "Follow {name}", "{name} さんを追う", "跟随 {name}";
    person_came(name): "{name} is here.", "{name} さんが参加しました。", "{name} 来了。";
    person_left(name): "{name} has left.", "{name} さんが退出しました。", "{name} 离开了。";
    cursors_shown: "Show their cursors", "カーソルを表示", "显示他们的光标";
    following(name): "Following {name}. Press Escape to stop.", "{name} さんを追っています。Escape キーで終了します。", "正在跟随 {name}。按 Escape 键停止。";
    follow_stop: "Stop", "終了", "停止";
    unsaved_long_kept: "Your last edits have not been saved for 15 seconds. They are kept on this device.", "最後の編集が 15 秒以上保存されていません。編集はこのデバイスに残っています。", "最后的编辑已超过 15 秒未保存，仍保留在此设备上。";
    unsaved_long_unkept: "Your last edits have not been saved for 15 seconds. Keep this tab open.", "最後の編集が 15 秒以上保存されていません。このタブを閉じないでください。", "最后的编辑已超过 15 秒未保存。请勿关闭此标签页。";
    unsaved_very_long_kept: "Your last edits have not been saved for more than 30 seconds. They are kept on this device and are sent as soon as the server can be reached.", "最後の編集が 30 秒以上保存されていません。編集はこのデバイスに残り、サーバーに接続でき次第送信されます。", "最后的编辑已超过 30 秒未保存。编辑保留在此设备上，连上服务器后会立即发送。";
    unsaved_very_long_unkept: "Your last edits have not been saved for more than 30 seconds and are in this tab only: keep it open, or copy the text.", "最後の編集が 30 秒以上保存されておらず、このタブにのみあります。タブを閉じないか、本文をコピーしてください。", "最后的编辑已超过 30 秒未保存，且仅在此标签页中。请勿关闭，或复制正文。";
    trouble_forbidden_kept: "You may no longer edit this document. Edits that were not saved are kept on this device; you can copy the text.", "このドキュメントを編集する権限がなくなりました。未保存の編集はこのデバイスに残っています。本文をコピーできます。", "已无权编辑此文档。未保存的编辑保留在此设备上，可以复制正文。";
    trouble_forbidden_unkept: "You may no longer edit this document. Edits that were not saved are in this tab only: copy the text before you close it.", "このドキュメントを編集する権限がなくなりました。未保存の編集はこのタブにのみあります。閉じる前に本文をコピーしてください。", "已无权编辑此文档。未保存的编辑仅在此标签页中，关闭前请复制正文。";
    trouble_gone_kept: "This document was deleted, or you may no longer see it. Edits that were not saved are kept on this device; you can copy the text.", "このドキュメントは削除されたか、閲覧できなくなりました。未保存の編集はこのデバイスに残っています。本文をコピーできます。", "此文档已被删除，或已无权查看。未保存的编辑保留在此设备上，可以复制正文。";
    trouble_gone_unkept: "This document was deleted, or you may no longer see it. Edits that were not saved are in this tab only: copy the text before you close it.", "このドキュメントは削除されたか、閲覧できなくなりました。未保存の編集はこのタブにのみあります。閉じる前に本文をコピーしてください。", "此文档已被删除，或已无权查看。未保存的编辑仅在此标签页中，关闭前请复制正文。";
    reason_forbidden: "you may no longer edit this document", "このドキュメントを編集する権限がありません", "已无权编辑此文档";
    reason_gone: "there is no such document any more", "ドキュメントがありません", "文档已不存在";
    editor_placeholder: "Write here…", "ここに入力…", "在此输入…";
    editor_leave_hint: "Press Escape, then Tab, to leave the editor.", "エディターから出るには、Escape キー、Tab キーの順に押します。", "依次按 Escape 键和 Tab 键可离开编辑器。";
    label_table: "Table", "表", "表格";
    label_done: "Done", "完了", "已完成";
    label_to_do: "To do", "未完了", "待办";
    label_footnotes: "Footnotes", "脚注", "脚注";
    label_back: "Back to reference", "参照元に戻る", "返回引用处";
    editor_failed: "This page has failed and your edits are no longer saved. Reload the page to continue.", "エラーが発生し、編集は保存されなくなりました。ページを再読み込みしてください。", "页面出错，编辑不再保存。请重新加载页面。";
}

/// Phrases of CodeMirror, by their English text in its sources (`EditorState.phrases`), which is in
/// lower case for labels.
pub const PHRASE_TEXTS: &[Entry] = &[
    phrase("Find", ["Find", "検索", "查找"]),
    phrase("Replace", ["Replace with", "置換後の文字列", "替换为"]),
    phrase("next", ["Next", "次へ", "下一个"]),
    phrase("previous", ["Previous", "前へ", "上一个"]),
    phrase("all", ["Select all", "すべて選択", "全选"]),
    phrase("match case", ["Match case", "大文字と小文字を区別", "区分大小写"]),
    phrase("regexp", ["Regular expression", "正規表現", "正则表达式"]),
    phrase("by word", ["Whole words", "単語単位", "全字匹配"]),
    phrase("replace", ["Replace", "置換", "替换"]),
    phrase("replace all", ["Replace all", "すべて置換", "全部替换"]),
    phrase("close", ["Close", "閉じる", "关闭"]),
    phrase("current match", ["Current match", "現在の一致", "当前匹配"]),
    phrase("replaced $ matches", ["Replaced $ matches", "$ 件を置換しました", "已替换 $ 处"]),
    phrase(
        "replaced match on line $",
        ["Replaced the match on line $", "$ 行目の一致を置換しました", "已替换第 $ 行的匹配"],
    ),
    phrase("on line", ["on line", "行", "所在行"]),
    phrase("Go to line", ["Go to line", "行へ移動", "跳转到行"]),
    phrase("go", ["Go", "移動", "跳转"]),
    phrase("Selection deleted", ["Selection deleted", "選択範囲を削除しました", "已删除所选内容"]),
    phrase("Control character", ["Control character", "制御文字", "控制字符"]),
];

const fn phrase(key: &'static str, texts: [&'static str; 3]) -> Entry {
    Entry { key, args: &[], texts }
}
