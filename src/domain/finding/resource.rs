//! The thing that has the weakness.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
};

use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::{
    bounds,
    fields::{Fields, Malformed},
    vocabulary::ResourceType,
};

/// A resource of a finding. Every sample has exactly one; the service model allows ten.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resource {
    /// What kind of resource.
    pub kind: ResourceType,
    /// Instance id, ARN, or the path of an Azure or Google resource.
    pub id: String,
    /// Where it is. For Azure and Google this is their own word, such as `eastus`.
    pub region: Option<String>,
    /// The account, subscription or project that holds it, where the event says so.
    pub account: Option<String>,
    /// Its tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// The container image's repository, for images.
    pub repository: Option<String>,
    /// The container image's tags, for images.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub image_tags: Vec<String>,
    /// The function's name, for functions; the project's, for source repositories; the machine's,
    /// where the provider gives it one.
    pub name: Option<String>,
    /// Operating system or runtime.
    pub platform: Option<String>,
    /// IPv4 addresses, public ones and private ones mixed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ipv4: Vec<String>,
    /// IPv6 addresses of the machine.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ipv6: Vec<String>,
    /// How many running workloads use the image.
    pub in_use: Option<u64>,
}

impl Resource {
    /// Reads one element of `resources`. Only `type` and `id` are required.
    pub fn read(resource: &Fields<'_>) -> Result<Self, Malformed> {
        let kind = ResourceType::from(resource.required_str("type")?);
        let id = crate::domain::text::cut_bytes(resource.required_str("id")?, bounds::URL);
        let details = resource.object("details");
        let block = |name| details.as_ref().and_then(move |d| d.object(name));

        // AWS's own block first; the provider-neutral one stands alone for Azure and Google.
        let machine = first([block("awsEc2Instance"), block("vm"), block("machineImage")]);
        let image = first([block("awsEcrContainerImage"), block("image")]);
        let function = first([block("awsLambdaFunction"), block("serverlessFunction")]);
        let project = block("codeRepository");

        let text = |fields: &Option<Fields<'_>>, key| {
            fields.as_ref().and_then(|f| f.text(key, bounds::NAME))
        };
        Ok(Self {
            kind,
            id,
            region: resource.text("region", bounds::NAME).filter(|r| r != "N/A"),
            account: resource.text("providerAccountId", bounds::NAME),
            tags: resource
                .string_map("tags", bounds::TAGS)
                .into_iter()
                .map(|(key, value)| (cut(key, bounds::TAG_KEY), cut(value, bounds::TAG_VALUE)))
                .collect(),
            repository: text(&image, "repositoryName"),
            image_tags: image.as_ref().map_or_else(Vec::new, |image| {
                image.array("imageTags").strings(bounds::IMAGE_TAGS, bounds::NAME)
            }),
            name: text(&function, "functionName")
                .or_else(|| text(&function, "serverlessFunctionName"))
                .or_else(|| text(&project, "projectName"))
                .or_else(|| text(&machine, "vmName"))
                .or_else(|| text(&machine, "name")),
            platform: text(&machine, "platform")
                .or_else(|| text(&image, "platform"))
                .or_else(|| text(&function, "runtime")),
            ipv4: machine.as_ref().map_or_else(Vec::new, |machine| {
                machine.array("ipV4Addresses").strings(bounds::ADDRESSES, bounds::ADDRESS)
            }),
            ipv6: machine.as_ref().map_or_else(Vec::new, |machine| {
                machine.array("ipV6Addresses").strings(bounds::ADDRESSES, bounds::ADDRESS)
            }),
            in_use: image.as_ref().and_then(|image| image.whole("inUseCount")),
        })
    }

    /// The first address of the machine that the internet can reach
    /// (<https://www.iana.org/assignments/iana-ipv4-special-registry>).
    pub fn public_address(&self) -> Option<Ipv4Addr> {
        self.ipv4
            .iter()
            .filter_map(|address| address.parse().ok())
            .find(|address| is_public(*address))
    }

    /// Whether it is a machine of which all addresses are known, and the internet can reach none of them. An IPv6 address is one
    /// that it may reach, unless it is of a private network or of the link
    /// (<https://www.iana.org/assignments/iana-ipv6-special-registry>).
    pub fn has_private_addresses_alone(&self) -> bool {
        let is_private = |address: &String| match address.parse() {
            Ok(IpAddr::V4(address)) => !is_public(address),
            Ok(IpAddr::V6(address)) => {
                address.is_unique_local()
                    || address.is_unicast_link_local()
                    || address.is_loopback()
            }
            Err(_) => false,
        };
        !self.ipv4.is_empty() && self.ipv4.iter().chain(&self.ipv6).all(is_private)
    }

    /// What people call it: its `Name` tag, repository with tag, function, project; else its id.
    pub fn display_name(&self) -> String {
        if let Some(repository) = &self.repository {
            return match self.image_tags.first() {
                Some(tag) => format!("{repository}:{tag}"),
                None => repository.clone(),
            };
        }
        if let Some(name) = self.name.as_ref().or_else(|| self.tags.get("Name")) {
            return name.clone();
        }
        // The last part of an ARN or path says most; an instance id has just one part.
        self.id.rsplit('/').next().unwrap_or(&self.id).to_owned()
    }
}

/// What may be routed on the internet. The blocks that are set aside for documentation count: a real
/// machine has none of them, and a sample that has one means a public address.
fn is_public(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let carrier_grade_nat = a == 100 && (64..128).contains(&b);
    let this_network = a == 0;
    let protocols_and_benchmarks = (a, b, c) == (192, 0, 0) || (a == 198 && (b == 18 || b == 19));
    let reserved = a >= 224;
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || carrier_grade_nat
        || this_network
        || protocols_and_benchmarks
        || reserved)
}

fn cut(text: &str, max: usize) -> String {
    crate::domain::text::cut_bytes(text, max)
}

fn first<const N: usize>(blocks: [Option<Fields<'_>>; N]) -> Option<Fields<'_>> {
    blocks.into_iter().flatten().next()
}
