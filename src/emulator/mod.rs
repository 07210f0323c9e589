//! The part of AWS that the functions talk to, on this machine: a DynamoDB-compatible store with
//! the table of the template, topics, Inspector, buckets, a registry of images and secrets; and the trackers of tickets.

use std::{
    path::Path,
    sync::{Arc, PoisonError},
};

use aws_config::{Region, SdkConfig};
use aws_sdk_dynamodb::config::Credentials;
use dynoxide::Database;
use tokio::{
    net::TcpListener,
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
};

pub mod bucket;
pub mod http;
pub mod inspector;
pub mod registry;
pub mod secrets;
pub mod template;
pub mod topic;
pub mod tracker;

use crate::{
    adapters::{aws, s3, sns::Topics},
    app::failure::BoxError,
    domain::record::Audience,
};
use bucket::Buckets;
use http::{InProcess, Service};
use inspector::Inspector;
use registry::Registry;
use secrets::Secrets;
use template::Template;
use topic::{Published, Topic};

/// The table's name.
pub const TABLE: &str = "inspector-triage-findings";
/// The topics' ARNs, in an account that AWS sets aside for examples.
pub const TOPIC: &str = "arn:aws:sns:eu-central-1:111122223333:inspector-triage-alerts";
/// The topic for a chat.
pub const CHAT_TOPIC: &str = "arn:aws:sns:eu-central-1:111122223333:inspector-triage-chat";
/// The topic for programs.
pub const DATA_TOPIC: &str = "arn:aws:sns:eu-central-1:111122223333:inspector-triage-data";
/// The bucket for reports.
pub const BUCKET: &str = "inspector-triage-reviewbucket";
/// The account that all belongs to.
pub const ACCOUNT: &str = "111122223333";
/// The Region of all.
pub const REGION: &str = "eu-central-1";

/// The topic of an audience.
pub fn topic(audience: Audience) -> &'static str {
    match audience {
        Audience::Email => TOPIC,
        Audience::Chat => CHAT_TOPIC,
        Audience::Data => DATA_TOPIC,
    }
}

/// The topics to publish to, so that an audience hears.
pub fn topics(audience: Audience) -> Topics {
    let own = |other| (audience == other).then(|| topic(other).to_owned());
    Topics { email: TOPIC.to_owned(), chat: own(Audience::Chat), data: own(Audience::Data) }
}

/// A store and a topic.
pub struct Emulator {
    /// What is published.
    pub published: UnboundedReceiver<Published>,
    /// Inspector.
    pub inspector: Inspector,
    /// What is put into buckets.
    pub buckets: Buckets,
    /// The registry of images.
    pub registry: Registry,
    /// The secrets.
    pub secrets: Secrets,
    store: Database,
    topic: Topic,
    shared: SdkConfig,
}

impl Emulator {
    /// Opens the store, kept in `db` or in memory, and the topic.
    ///
    /// # Errors
    /// The file is no store.
    pub async fn open(template: &Template, db: Option<&Path>) -> Result<Self, BoxError> {
        let store = open(template, db)?;
        let (sender, published) = unbounded_channel();
        let topic = Topic {
            arns: vec![TOPIC, CHAT_TOPIC, DATA_TOPIC],
            published: sender,
            deaf: Arc::default(),
        };
        let credentials = Credentials::new("local", "local", None, None, "inspector-triage");
        let shared = aws::config()
            .region(Region::from_static(REGION))
            .credentials_provider(credentials)
            .load()
            .await;
        let (inspector, buckets) = (Inspector::default(), Buckets::new(ACCOUNT, BUCKET));
        let (registry, secrets) = (Registry::new(ACCOUNT), Secrets::default());
        Ok(Self { published, inspector, buckets, registry, secrets, store, topic, shared })
    }

    /// The store, for whoever serves it in a way of their own.
    pub fn store(&self) -> Service {
        Service::Store(self.store.clone())
    }

    /// The topic, for whoever serves it in a way of their own.
    pub fn topic(&self) -> Service {
        Service::Topic(self.topic.clone())
    }

    /// Takes the subscription to a topic away, or gives it back.
    pub fn listen(&self, topic: &str, somebody_listens: bool) {
        let mut deaf = self.topic.deaf.lock().unwrap_or_else(PoisonError::into_inner);
        if somebody_listens {
            deaf.remove(topic);
        } else {
            deaf.insert(topic.to_owned());
        }
    }

    /// For clients of the store, which need no network.
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::config::Builder {
        aws_sdk_dynamodb::config::Builder::from(&self.shared).http_client(InProcess(self.store()))
    }

    /// For clients of the topic, which need no network.
    pub fn sns(&self) -> aws_sdk_sns::config::Builder {
        aws_sdk_sns::config::Builder::from(&self.shared).http_client(InProcess(self.topic()))
    }

    /// For clients of Inspector, which need no network.
    pub fn inspector2(&self) -> aws_sdk_inspector2::config::Builder {
        let service = Service::Inspector(self.inspector.clone());
        aws_sdk_inspector2::config::Builder::from(&self.shared).http_client(InProcess(service))
    }

    /// For clients of S3, which need no network.
    pub fn s3(&self) -> aws_sdk_s3::config::Builder {
        s3::config(&self.shared).http_client(InProcess(self.buckets.clone()))
    }

    /// For clients of ECR, which need no network.
    pub fn ecr(&self) -> aws_sdk_ecr::config::Builder {
        let service = InProcess(self.registry.clone());
        aws_sdk_ecr::config::Builder::from(&self.shared).http_client(service)
    }

    /// For clients of Secrets Manager, which need no network.
    pub fn secrets_manager(&self) -> aws_sdk_secretsmanager::config::Builder {
        let service = InProcess(self.secrets.clone());
        aws_sdk_secretsmanager::config::Builder::from(&self.shared).http_client(service)
    }

    /// Lets other processes on this machine use all of it: the store on `port`, the topic, Inspector, the buckets, the
    /// registry and the secrets on the next ones, or all on free ports for 0. Returns the environment for a function that is to.
    ///
    /// # Errors
    /// A port is taken.
    pub async fn serve(&self, port: u16) -> Result<Vec<(&'static str, String)>, BoxError> {
        let store = listen(port).await?;
        let next = |number| if port == 0 { 0 } else { port.saturating_add(number) };
        let topic = listen(next(1)).await?;
        let inspector = listen(next(2)).await?;
        let buckets = listen(next(3)).await?;
        let registry = listen(next(4)).await?;
        let secrets = listen(next(5)).await?;
        let store_url = format!("http://{}", store.local_addr()?);
        let topic_url = format!("http://{}", topic.local_addr()?);
        tokio::spawn(dynoxide::server::serve_on(store, self.store.clone()));
        let inspector_url = format!("http://{}", inspector.local_addr()?);
        let buckets_url = format!("http://{}", buckets.local_addr()?);
        let registry_url = format!("http://{}", registry.local_addr()?);
        let secrets_url = format!("http://{}", secrets.local_addr()?);
        tokio::spawn(self.topic.clone().serve(topic));
        tokio::spawn(self.inspector.clone().serve(inspector));
        tokio::spawn(self.buckets.clone().serve(buckets));
        tokio::spawn(self.registry.clone().serve(registry));
        tokio::spawn(self.secrets.clone().serve(secrets));
        Ok(vec![
            ("TABLE_NAME", TABLE.to_owned()),
            ("TOPIC_ARN", TOPIC.to_owned()),
            ("AWS_ENDPOINT_URL_DYNAMODB", store_url),
            ("AWS_ENDPOINT_URL_SNS", topic_url),
            ("AWS_ENDPOINT_URL_INSPECTOR2", inspector_url),
            ("AWS_ENDPOINT_URL_S3", buckets_url),
            ("AWS_ENDPOINT_URL_ECR", registry_url),
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", secrets_url),
            ("AWS_REGION", REGION.to_owned()),
            ("AWS_ACCESS_KEY_ID", "local".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "local".to_owned()),
        ])
    }
}

/// The store, with its table.
fn open(template: &Template, db: Option<&Path>) -> Result<Database, BoxError> {
    let store = match db {
        None => Database::memory()?,
        Some(file) => {
            let path = file.to_str().ok_or("the name of the store is not UTF-8")?;
            Database::new(path)
                .map_err(|error| format!("cannot open the store {}: {error}", file.display()))?
        }
    };
    if store.get_table_metadata(TABLE)?.is_none() {
        let request = template.create_table(TABLE)?;
        store.create_table(serde_json::from_value(request)?)?;
    }
    Ok(store)
}

async fn listen(port: u16) -> Result<TcpListener, BoxError> {
    let cannot = |error| format!("cannot listen on 127.0.0.1:{port}: {error}");
    Ok(TcpListener::bind(("127.0.0.1", port)).await.map_err(cannot)?)
}
