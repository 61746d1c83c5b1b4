//! A report with source lines in rustc's style, for what the library has not rendered.

use crate::report::item::{Step, Strand};
use crate::source::{Sources, Spot};
use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{
    Annotation, AnnotationKind, Element, Group, Level, Origin, Padding, Renderer, Snippet,
};

/// Wide enough for a usual line with a label behind it.
const WIDTH: usize = 200;

/// How a report looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// With ANSI colours.
    pub colour: bool,
    /// With Unicode lines.
    pub unicode: bool,
}

impl Look {
    /// For text that is sent on.
    pub const PLAIN: Self = Self { colour: false, unicode: false };
}

/// A circle whose halves were seen by different processes.
#[derive(Debug)]
pub struct Split<'a> {
    /// What was found.
    pub title: &'a str,
    /// Who did what.
    pub strands: &'a [Strand],
    /// What else is known, each under a tag.
    pub facts: Vec<(&'static str, String)>,
}

/// Renders a circle.
pub fn split(split: &Split<'_>, sources: &Sources, look: Look) -> String {
    let spots: Vec<Vec<(&Step, Option<Spot>)>> =
        split.strands.iter().map(|strand| spots(strand, sources)).collect();
    let title = Level::WARNING.primary_title(split.title).id("ST0101");
    let mut group = Group::with_title(title);
    let mut missing = Vec::new();
    for (strand, steps) in split.strands.iter().zip(&spots) {
        match snippets(steps) {
            Some(snippets) => group = group.elements(snippets),
            None => {
                group = group.elements(origin(strand));
                missing.push(strand);
            }
        }
    }
    let mut facts: Vec<_> = missing.iter().map(|strand| ("who", told(strand))).collect();
    facts.extend(split.facts.iter().cloned());
    if missing.len() == split.strands.len() {
        group = group.element(Element::from(Padding));
    }
    let facts = facts.into_iter().map(|(tag, text)| Level::NOTE.with_name(Some(tag)).message(text));
    group = group.elements(facts);
    let renderer = if look.colour { Renderer::styled() } else { Renderer::plain() };
    let decor = if look.unicode { DecorStyle::Unicode } else { DecorStyle::Ascii };
    renderer.decor_style(decor).term_width(WIDTH).render(&[group])
}

fn spots<'a>(strand: &'a Strand, sources: &Sources) -> Vec<(&'a Step, Option<Spot>)> {
    let spot = |step: &Step| sources.call(&step.site, step.op.as_deref()?);
    strand.steps.iter().map(|step| (step, spot(step))).collect()
}

/// The position of what a strand asks for, where its source is not there.
fn origin(strand: &Strand) -> Option<Element<'static>> {
    let site = &strand.steps.last()?.site;
    let (line, column) = (site.line as usize, site.column as usize);
    Some(Origin::path(site.file.clone()).line(line).char_column(column).into())
}

/// The strand in words, for want of its source.
fn told(strand: &Strand) -> String {
    let steps: Vec<_> =
        strand.steps.iter().map(|step| format!("{} ({})", step.what, step.site)).collect();
    steps.join(" ")
}

/// The lines of one strand, file by file; `None` if any is missing.
fn snippets<'a>(steps: &[(&'a Step, Option<Spot>)]) -> Option<Vec<Snippet<'a, Annotation<'a>>>> {
    let steps: Option<Vec<(&Step, &Spot)>> =
        steps.iter().map(|(step, spot)| Some((*step, spot.as_ref()?))).collect();
    let steps = steps.filter(|steps| !steps.is_empty())?;
    let mut files: Vec<&str> = Vec::new();
    // What is asked for heads the strand.
    for (step, _) in steps.iter().rev() {
        if !files.contains(&&*step.site.file) {
            files.push(&step.site.file);
        }
    }
    let last = steps.len() - 1;
    let snippet = |file: &&str| -> Option<Snippet<'a, Annotation<'a>>> {
        let here = || steps.iter().enumerate().filter(|(_, (step, _))| step.site.file == *file);
        let lines = here().map(|(_, (_, spot))| whole_lines(spot));
        let (start, end) = lines.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))?;
        let first_line = here().map(|(_, (step, _))| step.site.line).min()?;
        let (_, (_, spot)) = here().next()?;
        let annotations = here().map(|(at, (step, spot))| {
            let kind = if at == last { AnnotationKind::Primary } else { AnnotationKind::Context };
            kind.span(spot.span.start - start..spot.span.end - start).label(step.what.clone())
        });
        let snippet = Snippet::source(spot.text[start..end].to_owned())
            .path((*file).to_owned())
            .line_start(first_line as usize);
        Some(snippet.annotations(annotations.collect::<Vec<_>>()))
    };
    files.iter().map(snippet).collect()
}

/// Where the lines around a spot begin and end.
fn whole_lines(spot: &Spot) -> (usize, usize) {
    let Spot { text, span } = spot;
    let start = text[..span.start].rfind('\n').map_or(0, |end| end + 1);
    let end = text[span.end..].find('\n').map_or(text.len(), |length| span.end + length);
    (start, end)
}
