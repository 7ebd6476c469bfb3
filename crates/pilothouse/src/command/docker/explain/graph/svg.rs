//! A drawing as SVG: shapes and text, no scripts and no styles that could be stripped.

use std::io;

use dockerfile::cache::Cached;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::super::Report;
use super::super::text::{clauses, headline, summary};
use super::layout::{Arrow, Drawing, LINE, MARGIN, PADDING, Placed, TOP, WIDTH};

const CODE: &str = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace";
const PROSE: &str = "system-ui, 'DejaVu Sans', Helvetica, Arial, sans-serif";
const INK: &str = "#1b1b1b";
const PALE: &str = "#555555";

/// How a step looks: its word says the same as its colours.
struct Look {
    word: &'static str,
    fill: &'static str,
    stroke: &'static str,
    /// Of the line around it.
    dashes: &'static str,
}

const CACHED: Look = Look {
    word: "cached",
    fill: "#e9f5ec",
    stroke: "#2f7d47",
    dashes: "none",
};
const REPEATED: Look = Look {
    word: "repeated",
    fill: "#fdecea",
    stroke: "#b3261e",
    dashes: "none",
};
const DEPENDS: Look = Look {
    word: "depends",
    fill: "#fff6de",
    stroke: "#8a6100",
    dashes: "6 4",
};

impl Look {
    fn of(cached: Cached) -> &'static Self {
        match cached {
            Cached::Yes => &CACHED,
            Cached::No => &REPEATED,
            Cached::Depends => &DEPENDS,
        }
    }
}

/// The whole file.
pub(super) fn picture(report: &Report, drawing: &Drawing) -> io::Result<Vec<u8>> {
    let warnings = report.warnings.len() * LINE;
    let (width, height) = (drawing.width, drawing.height + warnings);
    let mut picture = Picture(Writer::new_with_indent(Vec::new(), b' ', 1));
    let declaration = BytesDecl::new("1.0", Some("UTF-8"), None);
    picture.0.write_event(Event::Decl(declaration))?;
    let root = [
        ("xmlns", "http://www.w3.org/2000/svg".to_owned()),
        ("width", width.to_string()),
        ("height", height.to_string()),
        ("viewBox", format!("0 0 {width} {height}")),
        ("role", "img".to_owned()),
        ("aria-labelledby", "title summary".to_owned()),
        ("font-family", PROSE.to_owned()),
        ("font-size", "12".to_owned()),
        ("fill", INK.to_owned()),
    ];
    picture.inside("svg", &root, |picture| {
        let title = [("id", "title".to_owned())];
        picture.words("title", &title, &headline(report))?;
        let summary_id = [("id", "summary".to_owned())];
        picture.words("desc", &summary_id, &summary(report))?;
        picture.heads()?;
        picture.box_of((0, 0), (width, height), "#ffffff", "none", "none")?;
        picture.top(report)?;
        for (x, stage) in &drawing.stages {
            picture.line((*x, TOP), "bold", "14", stage)?;
        }
        drawing
            .arrows
            .iter()
            .try_for_each(|arrow| picture.arrow(arrow))?;
        for (at, placed) in drawing.boxes.iter().enumerate() {
            picture.step(report, at, placed)?;
        }
        for (nth, warning) in report.warnings.iter().enumerate() {
            let at = (MARGIN, drawing.height + nth * LINE);
            picture.line(at, "normal", "12", &format!("warning: {warning}"))?;
        }
        Ok(())
    })?;
    let mut text = picture.0.into_inner();
    text.push(b'\n');
    Ok(text)
}

struct Picture(Writer<Vec<u8>>);

type Attributes<'a> = [(&'a str, String)];

impl Picture {
    fn inside(
        &mut self,
        name: &str,
        attributes: &Attributes<'_>,
        content: impl FnOnce(&mut Self) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut start = quick_xml::events::BytesStart::new(name);
        let pairs = attributes.iter();
        start.extend_attributes(pairs.map(|(name, value)| (*name, value.as_str())));
        let end = start.to_end().into_owned();
        self.0.write_event(Event::Start(start))?;
        content(self)?;
        self.0.write_event(Event::End(end))
    }

    fn words(&mut self, name: &str, attributes: &Attributes<'_>, text: &str) -> io::Result<()> {
        self.inside(name, attributes, |picture| {
            let text = legal(text);
            picture.0.write_event(Event::Text(BytesText::new(&text)))
        })
    }

    fn shape(&mut self, name: &str, attributes: &Attributes<'_>) -> io::Result<()> {
        let mut shape = quick_xml::events::BytesStart::new(name);
        let pairs = attributes.iter();
        shape.extend_attributes(pairs.map(|(name, value)| (*name, value.as_str())));
        self.0.write_event(Event::Empty(shape))
    }

    /// The head of every arrow.
    fn heads(&mut self) -> io::Result<()> {
        self.inside("defs", &[], |picture| {
            let marker = [
                ("id", "head".to_owned()),
                ("viewBox", "0 0 8 8".to_owned()),
                ("refX", "8".to_owned()),
                ("refY", "4".to_owned()),
                ("markerWidth", "8".to_owned()),
                ("markerHeight", "8".to_owned()),
                ("orient", "auto".to_owned()),
            ];
            picture.inside("marker", &marker, |picture| {
                let path = [("d", "M0 0 8 4 0 8z".to_owned()), ("fill", PALE.to_owned())];
                picture.shape("path", &path)
            })
        })
    }

    fn box_of(
        &mut self,
        (x, y): (usize, usize),
        (width, height): (usize, usize),
        fill: &str,
        stroke: &str,
        dashes: &str,
    ) -> io::Result<()> {
        let attributes = [
            ("x", x.to_string()),
            ("y", y.to_string()),
            ("width", width.to_string()),
            ("height", height.to_string()),
            ("rx", "4".to_owned()),
            ("fill", fill.to_owned()),
            ("stroke", stroke.to_owned()),
            ("stroke-dasharray", dashes.to_owned()),
        ];
        self.shape("rect", &attributes)
    }

    fn line(
        &mut self,
        (x, y): (usize, usize),
        weight: &str,
        size: &str,
        text: &str,
    ) -> io::Result<()> {
        let attributes = [
            ("x", x.to_string()),
            ("y", y.to_string()),
            ("font-weight", weight.to_owned()),
            ("font-size", size.to_owned()),
        ];
        self.words("text", &attributes, text)
    }

    /// What is compared, what comes of it, and what the boxes mean.
    fn top(&mut self, report: &Report) -> io::Result<()> {
        self.line((MARGIN, MARGIN + 12), "bold", "15", &headline(report))?;
        self.line((MARGIN, MARGIN + 32), "normal", "13", &summary(report))?;
        for (nth, look) in [&CACHED, &REPEATED, &DEPENDS].into_iter().enumerate() {
            let (x, y) = (MARGIN + nth * 110, MARGIN + 46);
            self.box_of((x, y), (18, 12), look.fill, look.stroke, look.dashes)?;
            self.line((x + 24, y + 10), "normal", "12", look.word)?;
        }
        Ok(())
    }

    fn arrow(&mut self, arrow: &Arrow) -> io::Result<()> {
        let corners = arrow.0.iter().map(|(x, y)| format!("{x} {y}"));
        let path = format!("M{}", corners.collect::<Vec<_>>().join("L"));
        let attributes = [
            ("d", path),
            ("fill", "none".to_owned()),
            ("stroke", PALE.to_owned()),
            ("marker-end", "url(#head)".to_owned()),
        ];
        self.shape("path", &attributes)
    }

    /// A box; its title, which browsers show on hovering, has all of the text.
    fn step(&mut self, report: &Report, at: usize, placed: &Placed) -> io::Result<()> {
        let (number, step) = (at + 1, &report.steps[at]);
        let look = Look::of(step.cached);
        let attributes = [
            ("id", format!("step-{number}")),
            ("class", look.word.to_owned()),
        ];
        self.inside("g", &attributes, |picture| {
            let mut title = format!("{number}, {}: {}", look.word, step.instruction);
            if step.cached != Cached::Yes {
                title = format!("{title}\nbecause {}", clauses(report, at).join("; "));
            }
            picture.words("title", &[], &title)?;
            let (at, size) = ((placed.x, placed.y), (WIDTH, placed.height));
            picture.box_of(at, size, look.fill, look.stroke, look.dashes)?;
            let x = placed.x + PADDING;
            let mut y = placed.y + PADDING + 12;
            let head = format!("{number} {} (line {})", look.word, step.line);
            picture.line((x, y), "bold", "12", &head)?;
            for code in &placed.code {
                y += LINE;
                let attributes = [
                    ("x", x.to_string()),
                    ("y", y.to_string()),
                    ("font-family", CODE.to_owned()),
                ];
                picture.words("text", &attributes, code)?;
            }
            for cause in &placed.causes {
                y += LINE;
                picture.line((x, y), "normal", "12", cause)?;
            }
            Ok(())
        })
    }
}

/// XML has no way to write most control characters.
fn legal(text: &str) -> String {
    let is_legal = |letter: char| {
        !matches!(letter, '\u{fffe}' | '\u{ffff}')
            && (!letter.is_control() || matches!(letter, '\n' | '\t'))
    };
    let letters = text.chars();
    letters
        .map(|letter| if is_legal(letter) { letter } else { '\u{fffd}' })
        .collect()
}
