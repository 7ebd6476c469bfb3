//! Where everything stands: a column for each stage, in it a box for each step.
//!
//! A box stands below those before it in its stage, and not above those that it takes
//! files of, so that every arrow runs to the right or down.

use dockerfile::cache::Cached;

use super::super::Report;
use super::super::text;

/// Of a box, in pixels.
pub(super) const WIDTH: usize = 380;
/// Of a line of text.
pub(super) const LINE: usize = 16;
/// Between a box and what is in it.
pub(super) const PADDING: usize = 10;
/// Around everything.
pub(super) const MARGIN: usize = 24;
/// Where the names of stages stand; the boxes begin below.
pub(super) const TOP: usize = 120;

const BETWEEN_STAGES: usize = 80;
const BETWEEN_STEPS: usize = 18;
/// Letters that a line of a box has room for: of code, and of prose.
const CODE: usize = 48;
const PROSE: usize = 56;
/// Lines of an instruction, and of a cause.
const MOST_LINES: usize = 2;
const MOST_CAUSES: usize = 3;

/// What is drawn.
pub(super) struct Drawing {
    pub(super) width: usize,
    pub(super) height: usize,
    /// The names of stages, and where their columns begin.
    pub(super) stages: Vec<(usize, String)>,
    /// In the order of the report.
    pub(super) boxes: Vec<Placed>,
    pub(super) arrows: Vec<Arrow>,
}

/// A step in its place.
pub(super) struct Placed {
    pub(super) x: usize,
    pub(super) y: usize,
    pub(super) height: usize,
    pub(super) code: Vec<String>,
    pub(super) causes: Vec<String>,
    column: usize,
}

/// From one box to another: its corners, the first and the last on an edge of a box.
pub(super) struct Arrow(pub(super) Vec<(usize, usize)>);

/// Finds a place for every step of a report.
pub(super) fn lay_out(report: &Report) -> Drawing {
    let mut stages: Vec<(usize, String)> = Vec::new();
    let mut boxes: Vec<Placed> = Vec::new();
    let mut arrows = Vec::new();
    let mut last = None;
    for (at, step) in report.steps.iter().enumerate() {
        if last != Some(step.stage_number) {
            let x = MARGIN + stages.len() * (WIDTH + BETWEEN_STAGES);
            stages.push((x, step.stage.clone()));
        }
        let column = stages.len() - 1;
        let above = boxes.last().filter(|_| last == Some(step.stage_number));
        let free = above.map_or(TOP + LINE, |above| above.y + above.height + BETWEEN_STEPS);
        let taken = step.takes.iter().filter_map(|other| boxes.get(*other));
        let y = taken.map(|other| other.y).fold(free, usize::max);
        let placed = Placed::new(report, at, column, (stages[column].0, y));
        if let Some(above) = above {
            arrows.push(Arrow::down(above, &placed));
        }
        for (nth, other) in step.takes.iter().enumerate() {
            let from = boxes.get(*other);
            arrows.extend(from.map(|from| Arrow::across(&boxes, from, &placed, nth)));
        }
        boxes.push(placed);
        last = Some(step.stage_number);
    }
    let corners = arrows.iter().flat_map(|arrow| &arrow.0).map(|(_, y)| *y);
    let bottom = boxes.iter().map(|one| one.y + one.height);
    let bottom = bottom.chain(corners).max();
    let columns = stages.len().max(1);
    Drawing {
        width: 2 * MARGIN + columns * WIDTH + (columns - 1) * BETWEEN_STAGES,
        height: bottom.unwrap_or(TOP) + MARGIN,
        stages,
        boxes,
        arrows,
    }
}

impl Placed {
    fn new(report: &Report, at: usize, column: usize, (x, y): (usize, usize)) -> Self {
        let step = &report.steps[at];
        let code = wrapped(&step.instruction, CODE);
        let all = match step.cached {
            Cached::Yes => Vec::new(),
            Cached::No | Cached::Depends => text::causes(step),
        };
        let shown = all.iter().take(MOST_CAUSES);
        let mut causes: Vec<String> = shown.flat_map(|cause| wrapped(cause, PROSE)).collect();
        if all.len() > MOST_CAUSES {
            causes.push(format!("and {} more", all.len() - MOST_CAUSES));
        }
        if step.cached != Cached::Yes {
            causes.extend(report.costs[at].told());
        }
        Self {
            x,
            y,
            height: 2 * PADDING + LINE * (1 + code.len() + causes.len()),
            code,
            causes,
            column,
        }
    }
}

impl Arrow {
    fn down(from: &Placed, to: &Placed) -> Self {
        let middle = from.x + WIDTH / 2;
        Self(vec![(middle, from.y + from.height), (middle, to.y)])
    }

    /// Below the stages in between, so that it seems to come from none of them.
    fn across(boxes: &[Placed], from: &Placed, to: &Placed, nth: usize) -> Self {
        const APART: usize = 8;
        let (right, middle) = (from.x + WIDTH, from.y + from.height / 2);
        let near = right + BETWEEN_STAGES / 4 + APART * (to.column % 5);
        let far = to.x - BETWEEN_STAGES / 4;
        let end = to.y + (PADDING + APART * (nth + 1)).min(to.height);
        let between = boxes.iter();
        let between = between.filter(|one| one.column > from.column && one.column < to.column);
        let below = between
            .map(|one| one.y + one.height + BETWEEN_STEPS / 2)
            .max();
        let way = below.unwrap_or(end).max(end);
        let mut corners = vec![(right, middle), (near, middle), (near, way)];
        if way > end {
            corners.extend([(far, way), (far, end)]);
        }
        corners.push((to.x, end));
        Self(corners)
    }
}

/// A text on lines of so many letters, and no more lines than there is room for.
fn wrapped(text: &str, letters: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text
        .split_whitespace()
        .flat_map(|word| pieces(word, letters))
    {
        let width = width(&word);
        if used > 0 && used + 1 + width > letters {
            lines.push(String::new());
            used = 0;
        }
        let line = lines.last_mut().expect("there is always one");
        if used > 0 {
            line.push(' ');
            used += 1;
        }
        line.push_str(&word);
        used += width;
    }
    if lines.len() > MOST_LINES {
        lines.truncate(MOST_LINES);
        let line = lines.last_mut().expect("some were kept");
        while width(line) + 2 > letters {
            line.pop();
        }
        line.push('…');
    }
    lines
}

/// A word, in pieces if no line has room for it.
fn pieces(word: &str, letters: usize) -> Vec<String> {
    let mut pieces = vec![String::new()];
    for letter in word.chars() {
        let piece = pieces.last_mut().expect("there is always one");
        if width(piece) + 2 > letters {
            pieces.push(letter.to_string());
        } else {
            piece.push(letter);
        }
    }
    pieces
}

/// Letters of other scripts may need twice the room.
fn width(text: &str) -> usize {
    text.chars()
        .map(|one| if one.is_ascii() { 1 } else { 2 })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_longer_than_its_box() {
        let texts = ["", "RUN x", &"a ".repeat(200), &"ü".repeat(200), "COPY . ."];
        for text in texts {
            let lines = wrapped(text, CODE);
            assert!(lines.len() <= MOST_LINES, "{lines:?}");
            assert!(lines.iter().all(|line| width(line) <= CODE), "{lines:?}");
        }
        assert_eq!(wrapped("one two three", 8), ["one two", "three"]);
        assert_eq!(wrapped("one two three four", 5), ["one", "two…"]);
    }
}
