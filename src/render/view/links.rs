//! Where to read more.

use crate::domain::{finding::Finding, text};

/// Whose page it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// The Inspector console.
    Inspector,
    /// The machine image in the EC2 console.
    MachineImage,
    /// Whoever published the vulnerability.
    Vendor,
    /// The National Vulnerability Database.
    Nvd,
    /// What Inspector's recommendation refers to.
    Advice,
}

/// The pages worth a click, best first.
pub fn links(finding: &Finding) -> Vec<(Page, String)> {
    let mut links: Vec<(Page, String)> = Vec::new();
    if let Some(region) = finding.region.as_deref().filter(|region| is_region(region)) {
        let console = console(region, partition(&finding.arn));
        if finding.is_on_demand() {
            let image = finding.resource().map(|resource| resource.id.as_str());
            links.extend(image.filter(|id| is_machine_image(id)).map(|id| {
                let page = format!("{console}/ec2/home?region={region}#ImageDetails:imageId={id}");
                (Page::MachineImage, page)
            }));
        } else {
            // There is no documented address of a single finding; the message gives the ARN to search for.
            let page = format!("{console}/inspector/v2/home?region={region}#/findings/all");
            links.push((Page::Inspector, page));
        }
    }
    let package = finding.package();
    // Whoever sends an event of an on-demand scan chooses its addresses.
    let theirs = |url: &str| address(url).filter(|_| !finding.is_on_demand());
    let vendor = package.and_then(|package| package.source_url.as_deref());
    links.extend(vendor.and_then(theirs).map(|url| (Page::Vendor, url)));
    let id = package.and_then(|package| package.id.as_deref());
    if let Some(cve) = id.filter(|id| is_cve(id)) {
        let nvd = format!("https://nvd.nist.gov/vuln/detail/{cve}");
        if links.iter().all(|(_, url)| *url != nvd) {
            links.push((Page::Nvd, nvd));
        }
    }
    let advice = finding.recommendation_url.as_deref().and_then(theirs);
    links.extend(advice.map(|url| (Page::Advice, url)));
    links
}

/// The console of a Region.
fn console(region: &str, partition: &str) -> String {
    let host = match partition {
        "aws-cn" => "console.amazonaws.cn",
        "aws-us-gov" => "console.amazonaws-us-gov.com",
        "aws-eusc" => "console.amazonaws-eusc.eu",
        _ => "console.aws.amazon.com",
    };
    format!("https://{region}.{host}")
}

fn is_machine_image(id: &str) -> bool {
    id.strip_prefix("ami-").is_some_and(|id| id.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn partition(arn: &str) -> &str {
    arn.split(':').nth(1).unwrap_or("aws")
}

/// An address as strangers may write it into a message: `https` or `http`, nothing but visible
/// ASCII, no mark-up, and no name before the host, so that what is shown is where it leads.
fn address(url: &str) -> Option<String> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let plain = url.bytes().all(|b| b.is_ascii_graphic() && !b"<>\"'`|\\".contains(&b));
    let harmless =
        plain && !host.is_empty() && !host.contains('@') && text::strip_markup(url) == url;
    (harmless && !url.ends_with(text::ELLIPSIS)).then(|| url.to_owned())
}

fn is_region(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn is_cve(text: &str) -> bool {
    text.strip_prefix("CVE-")
        .is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit() || b == b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_only_if_it_leads_where_it_seems_to() {
        for good in ["https://a.example/x?y=z#w", "https://www.npmjs.com/package/@scope/name"] {
            assert_eq!(address(good).as_deref(), Some(good));
        }
        for bad in [
            "javascript:alert(1)",
            "https://",
            "https://nvd.nist.gov@evil.example/CVE-2026-1",
            "https://a.example/@here",
            "https://a.example/](https://b.example)",
            "https://a.example/<b>",
            "https://\u{430}.example/",
            "https://a.example/cut…",
        ] {
            assert_eq!(address(bad), None, "{bad}");
        }
    }
}
