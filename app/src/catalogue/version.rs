//! One version, and the outcomes of its forms.

super::texts! {
    page(number, title): "Version {number} of “{title}”", "「{title}」のバージョン {number}", "“{title}”的版本 {number}";
    version(number): "Version {number}", "バージョン {number}", "版本 {number}";
    rendered: "Rendered", "プレビュー", "预览";
    source: "Source", "ソース", "源文本";
    compare_with_now: "Compare with current text", "現在の本文と比較", "与当前正文比较";
    restore: "Restore this version", "このバージョンを復元", "恢复此版本";
    restore_warning: "This replaces the current text with this version. The current text is committed first, so nothing is lost.", "現在の本文をこのバージョンに置き換えます。現在の本文は先にコミットされるため、失われません。", "当前正文将被替换为此版本。系统会先提交当前正文，不会丢失任何内容。";
    restore_yes(number): "Yes, restore version {number}", "バージョン {number} を復元する", "确认恢复版本 {number}";
    about: "About this version", "このバージョンについて", "关于此版本";
    author: "Author", "作成者", "作者";
    when: "When", "日時", "时间";
    changes: "Changes", "変更", "更改";
    length: "Length", "長さ", "长度";
    bytes[count]: "{count} byte|{count} bytes", "{count} バイト", "{count} 字节";
    sha256: "SHA-256", "SHA-256", "SHA-256";
    set_name: "Name this version", "このバージョンに名前を付ける", "命名此版本";
    change_name: "Rename this version", "このバージョンの名前を変更", "重命名此版本";
    name_hint: "Leave empty to remove the name.", "空にすると名前を削除します。", "留空可删除名称。";
    save_name: "Save name", "名前を保存", "保存名称";

    committed(number): "Version {number} saved.", "バージョン {number} を保存しました。", "已保存版本 {number}。";
    named(number, name): "Version {number} renamed to “{name}”.", "バージョン {number} の名前を「{name}」にしました。", "版本 {number} 已命名为“{name}”。";
    name_removed(number): "Name of version {number} removed.", "バージョン {number} の名前を削除しました。", "已删除版本 {number} 的名称。";
    restored(number, new): "Version {number} restored as version {new}.", "バージョン {number} をバージョン {new} として復元しました。", "已将版本 {number} 恢复为版本 {new}。";
}
