//! Dates of the server, in UTC, and in the reader's time zone (`components::LocalTimes`).

super::texts! {
    date(day, month, year, time): "{day} {month} {year}, {time} UTC", "{year}年{month}{day}日 {time} UTC", "{year}年{month}{day}日 {time} UTC";
    today(time): "today, {time}", "今日 {time}", "今天 {time}";
    yesterday(time): "yesterday, {time}", "昨日 {time}", "昨天 {time}";
    january: "January", "1月", "1月";
    february: "February", "2月", "2月";
    march: "March", "3月", "3月";
    april: "April", "4月", "4月";
    may: "May", "5月", "5月";
    june: "June", "6月", "6月";
    july: "July", "7月", "7月";
    august: "August", "8月", "8月";
    september: "September", "9月", "9月";
    october: "October", "10月", "10月";
    november: "November", "11月", "11月";
    december: "December", "12月", "12月";
}

/// Returns the name of a month, 1 to 12.
pub(crate) fn month(number: usize) -> Option<&'static str> {
    let names = [
        january, february, march, april, may, june, july, august, september, october, november,
        december,
    ];
    Some(names.get(number.checked_sub(1)?)?())
}
