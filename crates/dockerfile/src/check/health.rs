//! Times and numbers of `HEALTHCHECK`.

/// What is wrong with the value of a flag, in BuildKit's words.
pub(super) fn wrong(name: &str, value: &str) -> Option<String> {
    if value.is_empty() {
        return None;
    }
    if name == "retries" {
        return match value.parse::<i32>() {
            Ok(0..) => None,
            Ok(count) => Some(format!("--retries cannot be negative ({count})")),
            Err(_) => Some(format!(
                "strconv.ParseInt: parsing \"{value}\": invalid syntax"
            )),
        };
    }
    match nanoseconds(value) {
        Err(what) => Some(format!("time: {what}")),
        Ok(time) if time != 0.0 && time < 1e6 => {
            Some(format!("Interval \"{name}\" cannot be less than 1ms"))
        }
        Ok(_) => None,
    }
}

const UNITS: [(&str, f64); 8] = [
    ("ns", 1.0),
    ("us", 1e3),
    ("µs", 1e3),
    ("μs", 1e3),
    ("ms", 1e6),
    ("s", 1e9),
    ("m", 60e9),
    ("h", 3600e9),
];

/// A time as Go reads it: `1h30m`, `0.5s`, `-2ms`, `0`.
fn nanoseconds(text: &str) -> Result<f64, String> {
    let invalid = || format!("invalid duration \"{text}\"");
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    if rest == "0" {
        return Ok(0.0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut sum = 0.0;
    while !rest.is_empty() {
        let is_number = |c: char| c.is_ascii_digit() || c == '.';
        let length = rest.find(|c| !is_number(c)).unwrap_or(rest.len());
        let (number, after) = rest.split_at(length);
        let number: f64 = number.parse().map_err(|_| invalid())?;
        let (unit, next) = after.split_at(after.find(is_number).unwrap_or(after.len()));
        if unit.is_empty() {
            return Err(format!("missing unit in duration \"{text}\""));
        }
        let known = UNITS.iter().find(|known| known.0 == unit);
        let known =
            known.ok_or_else(|| format!("unknown unit \"{unit}\" in duration \"{text}\""))?;
        sum += number * known.1;
        rest = next;
    }
    Ok(if text.starts_with('-') { -sum } else { sum })
}
