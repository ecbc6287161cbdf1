//! Comparisons.

super::texts! {
    heading(from, to): "{from} compared with {to}", "{from}と{to}の比較", "{from}与{to}的比较";
    page(heading, title): "{heading}: “{title}”", "{heading}：「{title}」", "{heading}：“{title}”";
    now: "Now", "現在", "当前";
    current_first: "Current text", "現在の本文", "当前正文";
    current: "the current text", "現在の本文", "当前正文";
    empty_first: "Empty text", "空の本文", "空正文";
    empty: "the empty text", "空の本文", "空正文";
    version_first(number): "Version {number}", "バージョン {number}", "版本 {number}";
    version(number): "version {number}", "バージョン {number}", "版本 {number}";
    from: "From", "比較元", "从";
    to: "To", "比較先", "到";
    ignore_space: "Ignore white space", "空白の違いを無視", "忽略空白";
    space_ignored: "White space ignored", "空白の違いを無視しています", "已忽略空白";
    same: "No differences", "違いはありません", "没有差异";
    same_text: "The two texts are the same, byte for byte.", "2 つの本文はバイト単位で同じです。", "两份正文逐字节相同。";
    same_but_space: "Apart from white space, the two texts are the same.", "空白を除いて、2 つの本文は同じです。", "除空白外，两份正文相同。";
    changes: "Changes", "変更", "更改";
    pages: "Pages of this comparison", "この比較のページ", "比较分页";
    coarse: "Some of these lines differ too much for a detailed comparison.", "一部の行は違いが大きいため、詳しく比較していません。", "部分行差异过大，未作详细比较。";
    shortened: "Very long lines are shortened: “…” marks omitted text.", "非常に長い行は省略しています。「…」は省略した箇所です。", "过长的行已缩短，“…”表示省略的文本。";
    truncated(lines): "This comparison is too long: only its first {lines} lines are shown.", "比較が長すぎるため、最初の {lines} 行だけを表示しています。", "比较过长，仅显示前 {lines} 行。";
    added: "added: ", "追加：", "新增：";
    removed: "removed: ", "削除：", "删除：";
    only_line_ends: "Only line endings differ.", "違いは改行コードだけです。", "只有换行符不同。";
    spaces[count]: "space|{count} spaces", "空白 {count} 個", "{count} 个空格";
    wide_spaces[count]: "ideographic space|{count} ideographic spaces", "全角空白 {count} 個", "{count} 个全角空格";
    fixed_spaces[count]: "no-break space|{count} no-break spaces", "改行なしの空白 {count} 個", "{count} 个不换行空格";
    tabs[count]: "tab|{count} tabs", "タブ {count} 個", "{count} 个制表符";
    carriage_returns[count]: "carriage return|{count} carriage returns", "復帰文字 {count} 個", "{count} 个回车符";
    invisible(name): "invisible character {name}", "見えない文字 {name}", "不可见字符 {name}";
    no_newline: "No line break at the end", "末尾に改行なし", "末尾无换行";
    unchanged[count]: "{count} unchanged line|{count} unchanged lines", "変更のない {count} 行", "{count} 行未更改";
    more[count]: "And {count} more line.|And {count} more lines.", "ほか {count} 行。", "另有 {count} 行。";
    show_lines: "Show them", "表示", "显示";
    line(line): "line {line}", "{line} 行目", "第 {line} 行";
    lines(first, last): "lines {first}–{last}", "{first}～{last} 行目", "第 {first}–{last} 行";
    after_line(line): "after line {line}", "{line} 行目の後", "第 {line} 行之后";
    only_new(lines): "new: {lines}", "新規：{lines}", "新增：{lines}";
    all_removed(lines): "removed: {lines}", "削除：{lines}", "删除：{lines}";
    moved(old, new): "{old}, now {new}", "{old}、現在は {new}", "{old}，现为{new}";
}
