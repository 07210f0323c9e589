//! Charts as shapes, in the units of their drawing. Each has a table beside it that says the same.

use crate::domain::review::{FirstThing, Point};

/// How wide a chart is.
const WIDTH: u64 = 600;
/// How high the chart of the trend is.
const HEIGHT: u64 = 120;

/// What was open, day by day: a line for each class, one on top of the other.
pub struct Trend {
    /// An area for each class, the most urgent at the bottom, as the points of a polygon.
    pub areas: [(&'static str, String); 4],
    /// What of it was overdue, as the points of a line.
    pub overdue: String,
}

/// The chart of the trend; none for less than two points.
pub fn trend(points: &[Point]) -> Option<Trend> {
    if points.len() < 2 {
        return None;
    }
    let most = points.iter().map(|point| point.open).max().unwrap_or_default().max(1);
    let last = u64::try_from(points.len() - 1).unwrap_or(1);
    let x = |place: usize| WIDTH * u64::try_from(place).unwrap_or_default() / last;
    let y = |number: u64| HEIGHT - HEIGHT * number.min(most) / most;
    let line = |numbers: &[u64]| -> Vec<String> {
        numbers
            .iter()
            .enumerate()
            .map(|(place, number)| format!("{},{}", x(place), y(*number)))
            .collect()
    };
    let mut below = vec![0; points.len()];
    let mut area = |name: &'static str, of: fn(&Point) -> u64| {
        let above: Vec<u64> =
            points.iter().zip(&below).map(|(point, below)| below + of(point)).collect();
        let mut outline = line(&above);
        outline.extend(line(&below).into_iter().rev());
        below = above;
        (name, outline.join(" "))
    };
    let areas = [
        area("p1", |point| point.by_priority.p1),
        area("p2", |point| point.by_priority.p2),
        area("p3", |point| point.by_priority.p3),
        area("p4", |point| point.by_priority.p4),
    ];
    let overdue: Vec<u64> = points.iter().map(|point| point.overdue).collect();
    Some(Trend { areas, overdue: line(&overdue).join(" ") })
}

/// An update as a bar: what of its findings is urgent, and what is not.
pub struct Bar<'a> {
    /// The update.
    pub thing: &'a FirstThing,
    /// The width of the part that is urgent.
    pub urgent: u64,
    /// The width of the rest.
    pub rest: u64,
}

/// The updates as bars, the longest as wide as the chart.
pub fn bars(things: &[FirstThing]) -> Vec<Bar<'_>> {
    let most = things.iter().map(|thing| thing.findings).max().unwrap_or_default().max(1);
    let width = |number: u64| WIDTH * number / most;
    things
        .iter()
        .map(|thing| Bar {
            thing,
            urgent: width(thing.urgent),
            rest: width(thing.findings.saturating_sub(thing.urgent)),
        })
        .collect()
}
