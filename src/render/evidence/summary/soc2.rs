//! SOC 2, Trust Services Criteria 2017 with the points of focus of 2022: CC7.1, detection of new weaknesses. What it asks for is
//! said in our words.

use super::parts::{self, Parts};
use crate::render::evidence::page::Section;

pub fn sections(parts: &Parts<'_>) -> Vec<Section> {
    vec![
        parts.scope("Scope"),
        parts
            .method("CC7.1 Weaknesses are looked for, also those that become known later")
            .miss("That the entity's configurations follow standards of its own: Inspector looks for known vulnerabilities, weaknesses in code and open paths."),
        parts.coverage("CC7.1 What is not looked at is known"),
        parts.figures("CC7.1 What was found, and what became of it", &parts::ALL),
        parts.time_to_fix("CC7.1 Remedied in time, and late", &parts::ALL),
        parts.breaches("CC7.1 Not remedied in time", &parts::ALL),
        parts.exceptions("CC7.1 Not remedied by decision"),
        parts.checks("Counted then, and counted now"),
        parts.limits("Limits").miss("Unauthorised components, and changes that bring no known weakness."),
    ]
}
