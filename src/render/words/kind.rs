//! Kinds of resources, as each language calls them.

use super::Language;
use crate::domain::finding::ResourceType;

/// What people call a kind of resource: `EC2 instance`, `EC2 インスタンス`.
pub fn kind(kind: &ResourceType, language: Language) -> &str {
    let (english, japanese) = match kind {
        ResourceType::Ec2Instance => ("EC2 instance", "EC2 インスタンス"),
        ResourceType::EcrContainerImage => ("ECR image", "ECR イメージ"),
        ResourceType::EcrRepository => ("ECR repository", "ECR リポジトリ"),
        ResourceType::LambdaFunction => ("Lambda function", "Lambda 関数"),
        ResourceType::CodeRepository => ("code repository", "コードリポジトリ"),
        ResourceType::MachineImage => ("AMI", "AMI"),
        ResourceType::AzureVirtualMachine => ("Azure VM", "Azure VM"),
        ResourceType::AzureContainerImage => ("Azure image", "Azure イメージ"),
        ResourceType::AzureSite => ("Azure app", "Azure アプリ"),
        ResourceType::GcpInstance => ("Google Cloud VM", "Google Cloud VM"),
        ResourceType::GcpFunction => ("Google Cloud function", "Google Cloud 関数"),
        ResourceType::GcpDockerImage => ("Google Cloud image", "Google Cloud イメージ"),
        ResourceType::Other(word) => (word.as_str(), word.as_str()),
    };
    match language {
        Language::En => english,
        Language::Ja => japanese,
    }
}
