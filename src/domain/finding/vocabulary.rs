//! The closed-looking vocabularies of Inspector, kept open: AWS adds words, so each has `Other`.
//!
//! Words as of the `inspector2` service model, API version 2020-06-08.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Defines an enum of AWS words that never fails to parse: an unknown word is kept as it came.
/// Case is ignored when reading.
macro_rules! open_vocabulary {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(from = "String", into = "String")]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
            /// A word that AWS has added since this was written.
            Other(String),
        }

        impl $name {
            /// The words that were known when this was written.
            pub const WORDS: &[&str] = &[$($word),+];

            /// The word as AWS writes it.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)+
                    Self::Other(word) => word,
                }
            }
        }

        impl From<&str> for $name {
            fn from(word: &str) -> Self {
                $(if word.eq_ignore_ascii_case($word) { return Self::$variant; })+
                Self::Other(crate::domain::text::cut_bytes(word, super::bounds::NAME))
            }
        }

        impl From<String> for $name {
            fn from(word: String) -> Self {
                Self::from(word.as_str())
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.as_str().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

open_vocabulary! {
    /// What kind of weakness a finding reports.
    FindingType {
        /// A known vulnerability in an installed package.
        PackageVulnerability = "PACKAGE_VULNERABILITY",
        /// A weakness in the code of a function or repository.
        CodeVulnerability = "CODE_VULNERABILITY",
        /// An open path from a network edge to an instance.
        NetworkReachability = "NETWORK_REACHABILITY",
    }
}

open_vocabulary! {
    /// Inspector's own rating of a finding.
    Severity {
        /// The highest.
        Critical = "CRITICAL",
        /// High.
        High = "HIGH",
        /// Medium.
        Medium = "MEDIUM",
        /// Low.
        Low = "LOW",
        /// No weakness, a remark.
        Informational = "INFORMATIONAL",
        /// Nobody has rated it yet. That is not a low rating.
        Untriaged = "UNTRIAGED",
    }
}

impl Severity {
    /// A rank for comparing: the higher the more severe. `UNTRIAGED` and words unknown to us rank
    /// as `MEDIUM`: unknown is not low.
    pub fn rank(&self) -> u8 {
        match self {
            Self::Critical => 4,
            Self::High => 3,
            Self::Medium | Self::Untriaged | Self::Other(_) => 2,
            Self::Low => 1,
            Self::Informational => 0,
        }
    }
}

open_vocabulary! {
    /// Where a finding is in its life.
    Status {
        /// The weakness is there.
        Active = "ACTIVE",
        /// A suppression rule hides it.
        Suppressed = "SUPPRESSED",
        /// Remedied, or its resource is gone.
        Closed = "CLOSED",
    }
}

impl Status {
    /// Whether somebody still has something to do. A status unknown to us counts as open, because
    /// a finding shown once too often costs less than one that is lost.
    pub fn is_open(&self) -> bool {
        !matches!(self, Self::Suppressed | Self::Closed)
    }
}

open_vocabulary! {
    /// Whether a fixed version exists for the vulnerable packages.
    FixAvailable {
        /// For all of them.
        Yes = "YES",
        /// For some of them.
        Partial = "PARTIAL",
        /// For none.
        No = "NO",
    }
}

open_vocabulary! {
    /// What kind of resource a finding is about.
    ResourceType {
        /// An Amazon EC2 instance.
        Ec2Instance = "AWS_EC2_INSTANCE",
        /// A container image in Amazon ECR.
        EcrContainerImage = "AWS_ECR_CONTAINER_IMAGE",
        /// A repository in Amazon ECR.
        EcrRepository = "AWS_ECR_REPOSITORY",
        /// An AWS Lambda function.
        LambdaFunction = "AWS_LAMBDA_FUNCTION",
        /// A source repository at GitHub or GitLab.
        CodeRepository = "CODE_REPOSITORY",
        /// An Amazon Machine Image.
        MachineImage = "MACHINE_IMAGE",
        /// An Azure virtual machine.
        AzureVirtualMachine = "Microsoft.Compute/virtualMachines",
        /// A container image in an Azure registry.
        AzureContainerImage = "Microsoft.ContainerRegistry/registry/containerImage",
        /// An Azure function or web app.
        AzureSite = "Microsoft.Web/sites",
        /// A Google Compute Engine instance.
        GcpInstance = "compute.googleapis.com/Instance",
        /// A Google Cloud function.
        GcpFunction = "cloudfunctions.googleapis.com/Function",
        /// A container image in Google's Artifact Registry.
        GcpDockerImage = "artifactregistry.googleapis.com/DockerImage",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_aws_adds_later_is_kept_as_it_came() {
        let severity = Severity::from("SEVERE");
        assert_eq!(severity, Severity::Other("SEVERE".into()));
        assert_eq!(severity.as_str(), "SEVERE");
        assert_eq!(serde_json::to_string(&severity).unwrap(), "\"SEVERE\"");
    }

    #[test]
    fn a_word_in_another_case_is_the_same_word() {
        assert_eq!(Severity::from("Critical"), Severity::Critical);
        assert_eq!(ResourceType::from("microsoft.web/sites"), ResourceType::AzureSite);
    }

    #[test]
    fn an_unknown_status_counts_as_open_and_an_unrated_severity_as_medium() {
        assert!(Status::from("ARCHIVED").is_open());
        assert!(!Status::from("SUPPRESSED").is_open());
        assert_eq!(Severity::Untriaged.rank(), Severity::Medium.rank());
    }
}
