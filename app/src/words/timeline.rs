//! Texts of the timeline.

use super::{Entry, filled, island_texts, of_count, plain};

island_texts! {
    TIMELINE_TEXTS;

    timeline_controls: "Playback", "再生", "播放";
    timeline_authors: "Who edited when", "編集者と時期", "编辑者与时间";
    timeline_edit: "Edit", "編集", "编辑";
    timeline_edits[count]: "{count} edit|{count} edits", "{count} 件の編集", "{count} 次编辑";
    timeline_others: "Others", "その他", "其他";
    timeline_edit_of(number, count): "Edit {number} of {count}", "編集 {number} / {count}", "第 {number} 次编辑，共 {count} 次";
    timeline_before(number): "Before edit {number}", "編集 {number} の前", "第 {number} 次编辑之前";
    timeline_about(name, time): "{name}, {time}", "{name}、{time}", "{name}，{time}";
    timeline_position(edit, about): "{edit}: {about}", "{edit}：{about}", "{edit}：{about}";
    timeline_damaged_edit: "damaged edits", "破損した編集", "已损坏的编辑";
    timeline_former: "Former member", "以前のメンバー", "前成员";
    timeline_server: "Server", "サーバー", "服务器";
    timeline_play: "Play", "再生", "播放";
    timeline_pause: "Pause", "一時停止", "暂停";
    timeline_playing: "Playing", "再生中", "正在播放";
    timeline_previous_session: "Previous session", "前のセッション", "上一个会话";
    timeline_previous_edit: "Previous edit", "前の編集", "上一次编辑";
    timeline_next_edit: "Next edit", "次の編集", "下一次编辑";
    timeline_next_session: "Next session", "次のセッション", "下一个会话";
    timeline_speed: "Speed", "速度", "速度";
    timeline_speed_of(times): "{times} times as fast", "{times} 倍速", "{times} 倍速";
    timeline_compare: "Differences from now", "現在との違い", "与当前的差异";
    timeline_text: "Text after this edit", "この編集の後の本文", "此次编辑后的正文";
    timeline_retry: "Try again", "再試行", "重试";
    timeline_unreachable: "The history could not be loaded. Check your connection, then try again.", "履歴を読み込めませんでした。接続を確認し、再試行してください。", "历史记录未能加载。请检查网络连接，然后重试。";
    timeline_unreadable: "The history could not be read. Reload the page to try again.", "履歴を読み取れませんでした。ページを再読み込みしてください。", "历史记录无法读取。请重新加载页面。";
    timeline_missing(from, to): "Edits {from} to {to} are damaged and cannot be shown one by one. Some text after them may be missing until a later edit.", "編集 {from} から {to} は破損しているため、個別に表示できません。その後しばらく、本文の一部が欠けることがあります。", "第 {from} 至 {to} 次编辑已损坏，无法逐一显示。其后的正文可能暂时缺少部分内容。";
    timeline_restarted(number): "After edit {number}, this document was restored from its stored text, so the history continues from there anew.", "編集 {number} の後、このドキュメントは保存済みの本文から復元されたため、履歴はそこから新しく始まります。", "第 {number} 次编辑之后，此文档已从存储的正文恢复，历史记录从那里重新开始。";
    timeline_counts(added, removed): "Since then, {added} lines were added and {removed} removed.", "それ以降、{added} 行が追加され、{removed} 行が削除されました。", "此后新增 {added} 行，删除 {removed} 行。";
    timeline_same: "The text was the same as now.", "現在と同じ本文です。", "正文与当前相同。";
    timeline_cut: "There are too many differences to show all of them.", "違いが多すぎるため、一部のみ表示しています。", "差异过多，未全部显示。";
    timeline_change(number, line): "Change {number}, from line {line}", "変更 {number}（{line} 行目から）", "更改 {number}，从第 {line} 行起";
    timeline_added: "added: ", "追加：", "新增：";
    timeline_removed: "removed: ", "削除：", "删除：";
}
