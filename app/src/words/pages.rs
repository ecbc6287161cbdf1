//! Texts of the islands of all pages except the editor.

use super::{Entry, filled, island_texts, of_count, plain};

island_texts! {
    PAGE_TEXTS;

    // Comparison.
    changes[count]: "{count} change|{count} changes", "{count} 件の変更", "{count} 处更改";
    change_of(number, count): "{number} of {count}", "{number} / {count}", "{number} / {count}";
    previous_change: "Previous change", "前の変更", "上一处更改";
    next_change: "Next change", "次の変更", "下一处更改";

    // Uploads.
    upload: "Upload", "アップロード", "上传";
    uploads: "Uploads", "アップロード", "上传";
    drop_files: "Drop .md, .txt or .json files here, or", ".md、.txt、.json ファイルをここにドロップ、または", "将 .md、.txt 或 .json 文件拖到此处，或";
    upload_added: "Added", "追加しました", "已添加";
    cancel_upload(name): "Cancel {name}", "{name} をキャンセル", "取消 {name}";
    dismiss_upload(name): "Dismiss {name}", "{name} を閉じる", "关闭 {name}";
}
