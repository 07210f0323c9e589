//! Lists of names, as each language has them.

/// How many packages a sentence names before it says how many more there are.
const NAMED: usize = 3;

/// Lists as English has them.
pub mod english {
    use super::NAMED;
    use crate::domain::finding::Target;

    /// `httpd and httpd-core`.
    pub fn names(names: &[String]) -> String {
        match names {
            [] => "the affected package".to_owned(),
            [one] => one.clone(),
            [first @ .., last] if names.len() <= NAMED => {
                format!("{} and {last}", first.join(", "))
            }
            _ => format!("{} and {} more", names[..NAMED].join(", "), names.len() - NAMED),
        }
    }

    /// `httpd and httpd-core to 2.4.67, curl to 8.1`.
    pub fn targets(targets: &[Target]) -> String {
        let named = targets.iter().take(NAMED).map(|Target { version, packages }| match version {
            Some(version) => format!("{} to {version}", names(packages)),
            None if targets.len() > 1 => format!("{} to a fixed version", names(packages)),
            None => names(packages),
        });
        let named = named.collect::<Vec<_>>().join(", ");
        match targets.len().saturating_sub(NAMED) {
            0 => named,
            more => format!("{named} and {more} more"),
        }
    }
}

/// Lists as Japanese has them.
pub mod japanese {
    use super::NAMED;
    use crate::domain::finding::Target;

    /// `httpd、httpd-core ほか 2 件`.
    pub fn names(names: &[String]) -> String {
        if names.is_empty() {
            return "影響を受けるパッケージ".to_owned();
        }
        let first = names[..names.len().min(NAMED)].join("、");
        match names.len().saturating_sub(NAMED) {
            0 => first,
            more => format!("{first} ほか {more} 件"),
        }
    }

    /// `httpd、httpd-core を 2.4.67 に、curl を 8.1 に`.
    pub fn targets(targets: &[Target]) -> String {
        let named = targets.iter().take(NAMED).map(|Target { version, packages }| match version {
            Some(version) => format!("{} を {version} に", names(packages)),
            None => format!("{} を修正バージョンに", names(packages)),
        });
        let named = named.collect::<Vec<_>>().join("、");
        match targets.len().saturating_sub(NAMED) {
            0 => named,
            more => format!("{named}、ほか {more} 件も"),
        }
    }
}
