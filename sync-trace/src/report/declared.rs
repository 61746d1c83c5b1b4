//! What a broken declaration comes to: which rule, where it stands, and by what it is broken.

use super::cast::Cast;
#[cfg(feature = "pretty")]
use super::marks::{Mark, Role};
#[cfg(feature = "pretty")]
use super::source::At;
use super::verdict::Verdict;
use super::words::{columns, duration, line_of};
use crate::finding::{
    Breach, Broken, Condition, Declared, Finding, Hold, Lock, Outcome, Target, Wait,
};

/// The verdict on a declaration that is broken.
pub(super) fn on(finding: &Finding, breach: &Breach, cast: &Cast<'_>) -> Verdict {
    let told = Told { breach, cast };
    Verdict {
        title: told.title(),
        reasons: vec![
            ("held", told.held()),
            ("follows", told.follows()),
            ("condition", told.condition(finding)),
        ],
        outcome: told.outcome(finding),
        help: told.help(),
        silencing: told.silencing(finding),
    }
}

/// The positions that it is about.
#[cfg(feature = "pretty")]
pub(super) fn marks(breach: &Breach, cast: &Cast<'_>) -> Vec<Mark> {
    Told { breach, cast }.marks()
}

/// A line for each position.
pub(super) fn table(breach: &Breach, cast: &Cast<'_>) -> String {
    let told = Told { breach, cast };
    let mut rows = vec![];
    if let (Some(wait), Some(who)) = (&breach.wait, told.who()) {
        rows.push([who, format!("{} at {}", told.deed(wait), line_of(wait.site))]);
    }
    if let (Some(hold), Some(who)) = (&breach.against, told.who()) {
        rows.push([who, format!("{} at {}", told.took(hold), line_of(hold.site))]);
    }
    for declared in &breach.declared {
        let at = declared.passage;
        rows.push([told.says(declared), format!("at {at}")]);
    }
    columns(&rows)
}

/// A breach in words.
struct Told<'a> {
    breach: &'a Breach,
    cast: &'a Cast<'a>,
}

impl Told<'_> {
    fn title(&self) -> String {
        let (inside, item) = (self.inside(), self.item());
        let (wanted, held) = (self.wanted(), self.against());
        let [part, other] = self.parts();
        if let Some(assertion) = self.assertion() {
            let is_held = self.breach.broken == Broken::Held;
            let what =
                if is_held { format!("{held} is held") } else { format!("{part} is not held") };
            return format!("`{}!` does not hold: {what}", assertion.attribute);
        }
        match self.breach.broken {
            Broken::OutOfOrder => format!(
                "declared lock order violated{inside}: {wanted} is taken while {held} is held"
            ),
            Broken::NotAfter => format!(
                "declared lock order violated{inside}: {wanted} is taken while {other} is not held"
            ),
            Broken::RankDescends => format!(
                "declared ranks violated: {wanted} is taken while {held} is held, which has {}",
                self.higher_rank()
            ),
            Broken::NotFirst => {
                format!("{wanted} is declared to be taken first, and is taken while {held} is held")
            }
            Broken::SameElement => {
                format!("two locks of {part} are held at once{inside}: {wanted} and {held}")
            }
            Broken::KeysDescend => format!(
                "locks of {part} are not taken in ascending order{inside}: {wanted} comes before {held}"
            ),
            Broken::NotHeld => format!("{item} requires {part}, which is not held"),
            Broken::NotHeldAtExit => {
                format!("{item} requires {part}, which is not held any more when it returns")
            }
            Broken::Held => format!("{item} excludes {part}, which is held"),
            Broken::HeldAlready => format!("{item} acquires {part}, which is held already"),
            Broken::NotAcquired => {
                format!("{item} is declared to acquire {part}, but returns without it")
            }
            Broken::NotReleased => {
                format!("{item} is declared to release {part}, but returns while it is held")
            }
            Broken::NotAllowed => format!("{wanted} is taken{inside}, which {}", self.allows()),
            Broken::AfterLeaf => {
                format!("{wanted} is taken while {held} is held, after which nothing may be taken")
            }
            Broken::Blocks => match self.breach.against {
                Some(_) => format!("a thread would wait {} while {held} is held", self.goal()),
                None => format!("{item} must not block, and would wait {}", self.goal()),
            },
            Broken::MayBlock => format!("{item} may block, and is called where nothing may"),
            Broken::WaitedTooLong => format!(
                "{} was waited for {}{inside}, which allows {}",
                self.waited_for(),
                self.took_time(),
                self.limit()
            ),
            Broken::HeldTooLong => format!(
                "{held} was held {}{inside}, which allows {}",
                self.took_time(),
                self.limit()
            ),
            Broken::HeldAcrossAwait => {
                format!("{held} is held while a task is suspended{inside}")
            }
            Broken::Contradiction => {
                format!("declared lock orders contradict each other: {}", self.circle())
            }
            Broken::ClassesDiffer => {
                let name = self.breach.declared.first().map_or("", |declared| declared.item);
                format!("two lock classes are called `{name}`, and are declared differently")
            }
        }
    }

    /// The assertion that does not hold, if it is one.
    fn assertion(&self) -> Option<&Declared> {
        let first = self.breach.declared.first();
        first.filter(|declared| declared.attribute.starts_with("assert_"))
    }

    #[cfg(feature = "pretty")]
    fn marks(&self) -> Vec<Mark> {
        let mut marks = Vec::new();
        let who = self.who().unwrap_or_default();
        let agent = self.breach.agent.as_ref().map(|agent| agent.id);
        let mut add = |role, at, label| marks.push(Mark::new(role, at, label, agent));
        if let Some(wait) = &self.breach.wait {
            let label = format!("{who} {} here", self.deed(wait));
            add(Role::Closes, At::call(wait.site, wait.op), label);
        }
        if let Some(hold) = &self.breach.against {
            let role = if self.breach.wait.is_none() { Role::Waits } else { Role::Holds };
            let label = format!("{who} {} here{}", self.took(hold), self.and_holds());
            add(role, At::call(hold.site, hold.op), label);
        }
        for (number, declared) in self.breach.declared.iter().enumerate() {
            let at = match declared.name {
                Some(_) if declared.text == declared.attribute => {
                    At::attribute(declared.passage, declared.attribute)
                }
                Some(_) => At::passage(declared.passage, declared.text_or_word()),
                None => At::macro_call(declared.passage, declared.attribute),
            };
            let role = if self.assertion().is_some() { Role::Closes } else { Role::Declares };
            add(role, at, self.says(declared));
            if let Some(name) = declared.name
                && let Some(word) = last(declared.item)
                && declared.in_force
            {
                let role = match (&self.breach.wait, &self.breach.against) {
                    (None, None) => Role::Closes,
                    _ => Role::Declares,
                };
                let text = match number {
                    0 => self.in_force(&who),
                    _ => "in force until this call returns".to_owned(),
                };
                add(role, At::passage(name, word), text);
            }
        }
        marks
    }

    fn says(&self, declared: &Declared) -> String {
        let parts = declared.parts.map(|part| part.map(|part| format!("`{part}`")));
        match (self.breach.broken, parts) {
            (Broken::Contradiction, [Some(first), Some(then)]) => {
                format!("{first} before {then} declared here, by `{}`", short(declared.item))
            }
            (Broken::ClassesDiffer, _) => "declared here".to_owned(),
            _ if declared.attribute.starts_with("assert_") => {
                format!("{} is here", self.who().unwrap_or_default())
            }
            _ if declared.attribute == "lock_class" => {
                format!("class `{}` declared here: {}", declared.item, declared.text)
            }
            _ => match declared.attribute {
                "lock_order" => "order declared here".to_owned(),
                "lock_budget" => "budget declared here".to_owned(),
                _ => "declared here".to_owned(),
            },
        }
    }

    /// Whether the first declaration is that of a call which is under way.
    fn is_in_force(&self) -> bool {
        self.breach.declared.first().is_some_and(|declared| declared.in_force)
    }

    #[cfg(feature = "pretty")]
    fn in_force(&self, who: &str) -> String {
        let parts = self.parts();
        match self.breach.broken {
            Broken::NotHeld => format!("{who} calls this without {}", parts[0]),
            Broken::Held | Broken::HeldAlready => "called here".to_owned(),
            Broken::MayBlock => format!("{who} calls this where nothing may block"),
            Broken::NotHeldAtExit | Broken::NotAcquired => {
                format!("{who} returns from this without {}", parts[0])
            }
            Broken::NotReleased => "returns with it".to_owned(),
            _ => "in force until this call returns".to_owned(),
        }
    }

    fn who(&self) -> Option<String> {
        self.breach.agent.as_ref().map(|agent| self.cast.thread_names.full_name(agent))
    }

    /// What the thread does that breaks the rule.
    fn deed(&self, wait: &Wait) -> String {
        let goal = self.goal();
        match (self.breach.broken, &wait.target) {
            (Broken::Blocks, _) => format!("would wait {goal}"),
            (Broken::WaitedTooLong, _) => format!("waited {} {goal}", self.took_time()),
            (Broken::OutOfOrder, _) => {
                format!("takes {}{} too late", self.wanted(), self.as_declared(0, &self.wanted()))
            }
            _ => format!("takes {}{}", self.wanted(), self.as_declared(0, &self.wanted())),
        }
    }

    fn took(&self, hold: &Hold) -> String {
        let part = if self.breach.wait.is_some() { 1 } else { 0 };
        let held = self.cast.hold(hold);
        format!("took {held}{}", self.as_declared(part, &held))
    }

    /// How the declaration calls a lock, if its own name does not show that.
    fn as_declared(&self, part: usize, name: &str) -> String {
        let first = self.breach.declared.first().filter(|declared| declared.name.is_some());
        let Some(part) = first.and_then(|declared| declared.parts[part]) else {
            return String::new();
        };
        let mut words = part.split(|c: char| !(c.is_alphanumeric() || c == '_'));
        let is_place = !part.contains(['"', '(']);
        let last = words.rfind(|word| !word.is_empty() && *word != "_").unwrap_or_default();
        let is_shown = !is_place || name.contains(last);
        if is_shown { String::new() } else { format!(" (`{part}`)") }
    }

    #[cfg(feature = "pretty")]
    fn and_holds(&self) -> String {
        match self.breach.broken {
            Broken::HeldTooLong => format!(" and held it for {}", self.took_time()),
            _ => " and still holds it".to_owned(),
        }
    }

    /// What is wanted, with the mode.
    fn wanted(&self) -> String {
        match self.breach.wait.as_ref().map(|wait| &wait.target) {
            Some(Target::Lock(lock, mode)) => self.cast.taken(lock, *mode),
            _ => "a lock".to_owned(),
        }
    }

    fn waited_for(&self) -> String {
        match self.breach.wait.as_ref().map(|wait| &wait.target) {
            Some(Target::Lock(lock, _)) => self.cast.lock(lock),
            _ => "something".to_owned(),
        }
    }

    fn goal(&self) -> String {
        match (&self.breach.agent, &self.breach.wait) {
            (Some(agent), Some(wait)) => self.cast.goal(agent, wait),
            _ => String::new(),
        }
    }

    fn against(&self) -> String {
        self.breach.against.as_ref().map_or("another one".to_owned(), |hold| self.cast.hold(hold))
    }

    /// The parts of the declaration that it is about, as written.
    fn parts(&self) -> [String; 2] {
        let parts = self.breach.declared.first().map_or([None, None], |declared| declared.parts);
        parts.map(|part| part.map_or("a lock".to_owned(), |part| format!("`{part}`")))
    }

    fn allows(&self) -> String {
        match self.breach.declared.first() {
            Some(declared) if !matches!(declared.text, "" | "lock_only" | "only") => {
                format!("may take only `{}`", declared.text)
            }
            _ => "may take no lock".to_owned(),
        }
    }

    fn higher_rank(&self) -> &'static str {
        "a higher rank, or the same"
    }

    fn took_time(&self) -> String {
        self.breach.took.map_or(String::new(), |(took, _)| duration(took))
    }

    fn limit(&self) -> String {
        self.breach.took.map_or(String::new(), |(_, limit)| duration(limit))
    }

    /// The function that the rule is on.
    fn item(&self) -> String {
        self.breach.declared.first().map_or(String::new(), |declared| {
            match short(declared.item).as_str() {
                SCOPE => "this block".to_owned(),
                item => format!("`{item}`"),
            }
        })
    }

    /// Where the rule is in force, as it follows what is done.
    fn inside(&self) -> String {
        let is_inside = self.is_in_force()
            && self.breach.declared.iter().all(|declared| declared.name.is_some());
        if is_inside { format!(" in {}", self.item()) } else { String::new() }
    }

    /// Such as `` `a` before `b` before `a` ``.
    fn circle(&self) -> String {
        let firsts = self.breach.declared.iter().filter_map(|declared| declared.parts[0]);
        let firsts: Vec<_> = firsts.map(|first| format!("`{first}`")).collect();
        firsts.iter().chain(firsts.first()).cloned().collect::<Vec<_>>().join(" before ")
    }

    /// Everything that is held, a line for each.
    fn held(&self) -> String {
        let row = |hold: &Hold| [self.cast.hold(hold), format!("taken at {}", line_of(hold.site))];
        let rows: Vec<_> = self.breach.held.iter().map(row).collect();
        match (rows.is_empty(), &self.breach.agent) {
            (true, Some(_)) => "nothing".to_owned(),
            _ => columns(&rows),
        }
    }

    /// How the order follows from several declarations.
    fn follows(&self) -> String {
        let steps = self.breach.declared.iter().filter_map(|declared| match declared.parts {
            [Some(first), Some(then)] => {
                Some([format!("`{first}` before `{then}`"), format!("`{}`", short(declared.item))])
            }
            _ => None,
        });
        let steps: Vec<_> = steps.collect();
        if steps.len() < 2 { String::new() } else { columns(&steps) }
    }

    fn condition(&self, finding: &Finding) -> String {
        match finding.condition {
            Some(Condition::DeclaredElsewhere) => {
                "the order is declared for the inside of functions that were not running; say `global` \
                 there to have it hold everywhere"
                    .to_owned()
            }
            _ => String::new(),
        }
    }

    fn outcome(&self, finding: &Finding) -> String {
        let is_before = matches!(
            self.breach.broken,
            Broken::OutOfOrder
                | Broken::NotAfter
                | Broken::SameElement
                | Broken::KeysDescend
                | Broken::RankDescends
                | Broken::NotAllowed
                | Broken::AfterLeaf
                | Broken::NotFirst
        );
        match finding.outcome {
            Outcome::Panicked if is_before => format!(
                "this thread panics before it takes {}, and unwinding releases its guards",
                self.wanted()
            ),
            Outcome::Panicked => "this thread panics, and unwinding releases its guards".to_owned(),
            Outcome::Ended => {
                "the process ends now, with status 66 unless it was configured to abort".to_owned()
            }
            Outcome::Logged | Outcome::Deferred => {
                "the report was only printed, and the thread goes on".to_owned()
            }
            Outcome::Noted => "this is only listed; nothing fails because of it".to_owned(),
        }
    }

    fn help(&self) -> String {
        let (item, wanted, held) = (self.item(), self.wanted(), self.against());
        let [part, other] = self.parts();
        if self.assertion().is_some() {
            return match self.breach.broken {
                Broken::Held => format!("release {held} before"),
                _ => format!("take {part} before"),
            };
        }
        match self.breach.broken {
            Broken::OutOfOrder | Broken::RankDescends => {
                format!("take {wanted} before {held}, or release {held} first")
            }
            Broken::NotAfter => format!("take {other} first, and hold it meanwhile"),
            Broken::NotFirst => format!("take {wanted} before any other lock"),
            Broken::SameElement => format!(
                "release {held} first, or say in which order several are taken, as in `each({} by addr)`",
                part.trim_matches('`')
            ),
            Broken::KeysDescend => format!("sort the locks of {part} before you take them"),
            Broken::NotHeld => format!("take {part} before you call {item}"),
            Broken::NotHeldAtExit => {
                format!("hold {part} until {item} returns, or say `lock_requires(entry, ..)`")
            }
            Broken::Held | Broken::HeldAlready => {
                format!("release {part} before you call {item}")
            }
            Broken::NotAcquired => format!("return the guard of {part} from {item}"),
            Broken::NotReleased => format!("drop the guard of {part} before {item} returns"),
            Broken::NotAllowed => {
                format!("take {wanted} before or after {item}, or add it to the list")
            }
            Broken::AfterLeaf => format!("release {held} first"),
            Broken::Blocks | Broken::MayBlock => {
                "wait before or after this, or use an operation that does not block, such as `try_lock`"
                    .to_owned()
            }
            Broken::WaitedTooLong => {
                format!("shorten what is done while {} is held", self.waited_for())
            }
            Broken::HeldTooLong => format!("do less while {held} is held"),
            Broken::HeldAcrossAwait => {
                format!("release {held} before the `.await`, such as at the end of a block around it")
            }
            Broken::Contradiction => {
                "decide for one order, and change or remove the declarations against it".to_owned()
            }
            Broken::ClassesDiffer => {
                "declare the class once, and use that everywhere".to_owned()
            }
        }
    }

    fn silencing(&self, finding: &Finding) -> String {
        let exempt = format!("#[lock_exempt(reason = \"..\", {})]", finding.code);
        let exempt = if self.breach.agent.is_some() {
            format!("put {exempt} on the function around it, or ")
        } else {
            String::new()
        };
        format!(
            "fingerprint {}; to accept it, {exempt}put into sync-trace.toml, with the reason:\n\
             [[allow]]\nfingerprint = \"{}\"\nreason = \"\"",
            finding.fingerprint, finding.fingerprint
        )
    }
}

#[cfg(feature = "pretty")]
impl Declared {
    /// What stands at its position.
    fn text_or_word(&self) -> &'static str {
        if self.text.is_empty() { self.attribute } else { self.text }
    }
}

/// The locks that a breach is about.
pub(super) fn locks(breach: &Breach) -> impl Iterator<Item = &Lock> {
    let wanted = breach.wait.as_ref().and_then(|wait| match &wait.target {
        Target::Lock(lock, _) => Some(lock),
        _ => None,
    });
    let held = breach.against.iter().chain(&breach.held).map(|hold| &hold.lock);
    wanted.into_iter().chain(held)
}

/// What `lock_scope!` calls itself.
const SCOPE: &str = "{scope}";

/// The last segment of a path.
#[cfg(feature = "pretty")]
fn last(path: &'static str) -> Option<&'static str> {
    path.rsplit("::").next().filter(|last| *last != SCOPE)
}

/// The path without modules: the function, and the type that it belongs to.
fn short(path: &str) -> String {
    let segments = segments(path);
    let (last, before) = (segments.last(), segments.len().checked_sub(2).map(|at| segments[at]));
    let is_type = |name: &&str| name.starts_with(|c: char| c.is_uppercase() || c == '<');
    match (last, before.filter(is_type)) {
        (Some(last), Some(of)) => format!("{}::{}", bare(of), without_arguments(last)),
        (Some(last), None) => without_arguments(last).to_owned(),
        (None, _) => path.to_owned(),
    }
}

/// The name of a function without the types that it was called with.
fn without_arguments(name: &str) -> &str {
    name.split_once('<').map_or(name, |(name, _)| name)
}

/// The parts of a path; what is in angle brackets belongs to its part.
fn segments(path: &str) -> Vec<&str> {
    let (mut segments, mut start, mut depth) = (Vec::new(), 0, 0u32);
    for (at, c) in path.char_indices() {
        match c {
            '<' => depth += 1,
            '>' => depth = depth.saturating_sub(1),
            ':' if depth == 0 && path[at..].starts_with("::") => {
                segments.push(&path[start..at]);
                start = at + 2;
            }
            _ => {}
        }
    }
    segments.push(&path[start..]);
    segments
}

/// The names in a type without their modules.
fn bare(type_name: &str) -> String {
    let mut bare = String::new();
    let mut word = String::new();
    for c in type_name.chars() {
        if c.is_alphanumeric() || c == '_' || c == ':' {
            word.push(c);
        } else {
            bare.push_str(word.rsplit("::").next().unwrap_or_default());
            bare.push(c);
            word.clear();
        }
    }
    bare + word.rsplit("::").next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_shown_without_modules() {
        for (path, expected) in [
            ("bank::transfer", "transfer"),
            ("bank::store::Bank::transfer", "Bank::transfer"),
            ("bank::Bank<bank::Money, alloc::vec::Vec<u8>>::f", "Bank<Money, Vec<u8>>::f"),
            ("<bank::Bank as bank::Transfers>::transfer", "<Bank as Transfers>::transfer"),
            ("transfer", "transfer"),
            ("bank::transfer<bank::f::{{closure}}>", "transfer"),
            ("bank::Bank::transfer<u8>", "Bank::transfer"),
        ] {
            assert_eq!(short(path), expected);
        }
    }
}
