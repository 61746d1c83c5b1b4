//! Durations: `"5ms"`, `"250us"`, `"1.5s"`, `"0"`.

use syn::{Error, LitStr, Result};

/// What one of each unit has of nanoseconds.
const UNITS: &[(&str, u64)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("min", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// The nanoseconds of `text`.
pub(crate) fn nanoseconds(text: &LitStr) -> Result<u64> {
    parse(&text.value()).map_err(|error| Error::new(text.span(), error))
}

fn parse(text: &str) -> std::result::Result<u64, &'static str> {
    const FORM: &str =
        "not a duration: a number and `ns`, `us`, `ms`, `s`, `min` or `h`, as in `\"5ms\"`";
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits_only = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !digits_only(whole) || !digits_only(fraction) {
        return Err(FORM);
    }
    let unit = match unit.trim() {
        "" if number.bytes().all(|b| matches!(b, b'0' | b'.')) => return Ok(0),
        "" => return Err("a duration needs a unit: `ns`, `us`, `ms`, `s`, `min` or `h`"),
        unit => UNITS.iter().find(|(name, _)| *name == unit).ok_or(FORM)?.1,
    };
    const LONG: &str = "the duration is longer than sync-trace can count";
    let whole: u64 = whole.parse().map_err(|_| LONG)?;
    let mut nanoseconds = whole.checked_mul(unit).ok_or(LONG)?;
    let mut place = unit;
    for digit in fraction.trim_end_matches('0').bytes() {
        if place % 10 != 0 {
            return Err("a duration counts whole nanoseconds");
        }
        place /= 10;
        nanoseconds = nanoseconds.checked_add(u64::from(digit - b'0') * place).ok_or(LONG)?;
    }
    Ok(nanoseconds)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn each_unit_is_known() {
        let cases = [
            ("0", 0),
            ("0.0", 0),
            ("7ns", 7),
            ("250us", 250_000),
            ("1µs", 1_000),
            ("5ms", 5_000_000),
            ("1.5ms", 1_500_000),
            ("10 s", 10_000_000_000),
            ("2min", 120_000_000_000),
            ("1h", 3_600_000_000_000),
            ("0.000000001s", 1),
            ("18446744073s", 18_446_744_073_000_000_000),
        ];
        for (text, nanoseconds) in cases {
            assert_eq!(parse(text), Ok(nanoseconds), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in ["", "ms", "5", "5 parsecs", "-5ms", "5.ms", ".5ms", "1.2.3s", "5ms5", "1e3ms"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
        assert_eq!(parse("0.5ns"), Err("a duration counts whole nanoseconds"));
        assert!(parse("18446744074s").unwrap_err().contains("longer"));
        assert!(parse("99999999999999999999ns").unwrap_err().contains("longer"));
    }
}
