//! What an operation may cost, and whether it does.

use std::fmt;

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// The time of the traced work, as a multiple of `std`'s.
    Ratio,
    /// What is done in a given time, as a share of what `std` does.
    Throughput,
    /// A time in nanoseconds.
    Nanoseconds,
    /// A size in bytes.
    Bytes,
}

impl Measure {
    /// `value` as the table shows it.
    pub fn show(self, value: f64) -> String {
        match self {
            _ if !value.is_finite() => "-".to_owned(),
            // Two digits, as limits have; no more of what is far away from them, and no fewer than one.
            Self::Ratio | Self::Throughput if value >= 100.0 => format!("{value:.0}"),
            Self::Ratio | Self::Throughput if value >= 10.0 => format!("{value:.1}"),
            Self::Ratio | Self::Throughput if value < 0.095 => format!("{value:.3}"),
            Self::Ratio | Self::Throughput => format!("{value:.2}"),
            Self::Nanoseconds if value < 1e3 => format!("{value:.1} ns"),
            Self::Nanoseconds if value < 1e6 => format!("{:.1} us", value / 1e3),
            Self::Nanoseconds if value < 1e9 => format!("{:.2} ms", value / 1e6),
            Self::Nanoseconds => format!("{:.2} s", value / 1e9),
            Self::Bytes => format!("{value:.0} B"),
        }
    }

    /// From the time of the traced work and that of `std`'s.
    pub fn compare(self, traced: f64, std: f64) -> f64 {
        match self {
            Self::Throughput => std / traced,
            _ => traced / std,
        }
    }
}

/// What an operation may cost.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// In what it is counted.
    pub measure: Measure,
    /// What has to be kept.
    pub limit: f64,
    /// What is hoped for.
    pub aim: f64,
}

impl Budget {
    /// A ratio that is shown, and may be anything.
    pub const ANY_RATIO: Self = Self::ratio(f64::INFINITY, f64::INFINITY);

    /// A time that is shown, and may be anything.
    pub const ANY_TIME: Self = Self::microseconds(f64::INFINITY, f64::INFINITY);

    /// A size that is shown, and may be anything.
    pub const ANY_SIZE: Self = Self::bytes(f64::INFINITY, f64::INFINITY);

    /// At most `limit` times `std`'s time.
    pub const fn ratio(limit: f64, aim: f64) -> Self {
        Self { measure: Measure::Ratio, limit, aim }
    }

    /// At least the share `limit` of `std`'s throughput.
    pub const fn throughput(limit: f64, aim: f64) -> Self {
        Self { measure: Measure::Throughput, limit, aim }
    }

    /// At most `limit` microseconds.
    pub const fn microseconds(limit: f64, aim: f64) -> Self {
        Self { measure: Measure::Nanoseconds, limit: limit * 1e3, aim: aim * 1e3 }
    }

    /// At most `limit` bytes.
    pub const fn bytes(limit: f64, aim: f64) -> Self {
        Self { measure: Measure::Bytes, limit, aim }
    }

    /// How what was measured, once or in two ways, stands to the budget.
    pub fn judge(&self, measured: [f64; 2]) -> Standing {
        if self.limit.is_infinite() {
            return Standing::Free;
        }
        let keep = |limit: f64| {
            // The table shows two digits, and whoever reads it should come to the same judgement.
            let rounded = |value: f64| (value * 100.0).round();
            measured.map(|value| match self.measure {
                Measure::Throughput => rounded(value) >= rounded(limit),
                _ => rounded(value) <= rounded(limit),
            })
        };
        match (keep(self.limit), keep(self.aim)) {
            (_, [true, true]) => Standing::Aim,
            ([true, true], _) => Standing::Kept,
            ([false, false], _) => Standing::Over,
            _ => Standing::Unclear,
        }
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.limit.is_infinite() {
            return f.pad(&self.measure.show(self.limit));
        }
        let sign = if self.measure == Measure::Throughput { ">=" } else { "<=" };
        f.pad(&format!("{sign} {}", self.measure.show(self.limit)))
    }
}

/// How what was measured stands to its budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// There is no limit.
    Free,
    /// As good as hoped for.
    Aim,
    /// Within the limit.
    Kept,
    /// Within the limit in one of the two columns, and over it in the other.
    Unclear,
    /// Over the limit.
    Over,
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Free => "-",
            Self::Aim => "aim",
            Self::Kept => "ok",
            Self::Unclear => "OVER?",
            Self::Over => "OVER!",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_columns_have_to_keep_a_limit() {
        let budget = Budget::ratio(1.4, 1.2);
        assert_eq!(budget.judge([1.2, 1.1]), Standing::Aim);
        assert_eq!(budget.judge([1.2, 1.3]), Standing::Kept);
        assert_eq!(budget.judge([1.404, 1.3]), Standing::Kept);
        assert_eq!(budget.judge([1.5, 1.3]), Standing::Unclear);
        assert_eq!(budget.judge([1.5, 1.41]), Standing::Over);
    }

    #[test]
    fn without_a_limit_nothing_is_judged() {
        assert_eq!(Budget::ANY_RATIO.judge([100.0, 100.0]), Standing::Free);
        assert_eq!(Budget::ANY_RATIO.to_string(), "-");
    }

    #[test]
    fn more_throughput_is_better() {
        let budget = Budget::throughput(0.95, 1.0);
        assert_eq!(budget.measure.compare(10.0, 20.0), 2.0);
        assert_eq!(budget.judge([2.0, 1.0]), Standing::Aim);
        assert_eq!(budget.judge([0.9, 0.9]), Standing::Over);
    }
}
