//! The part of AWS that the function talks to, on this machine: a DynamoDB-compatible store with
//! the table of the template, and a topic.

use std::path::Path;

use aws_config::{Region, SdkConfig};
use aws_sdk_dynamodb::config::Credentials;
use dynoxide::Database;
use tokio::{
    net::TcpListener,
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
};

use super::{Problem, sns, template::Template};
use crate::aws;

/// The table's name.
pub const TABLE: &str = "inspector-triage-findings";
/// The topic's ARN, in an account that AWS sets aside for examples.
pub const TOPIC: &str = "arn:aws:sns:eu-central-1:111122223333:inspector-triage-alerts";
/// The Region of both.
pub const REGION: &str = "eu-central-1";

/// A running store and topic on the loopback interface.
pub struct Cloud {
    /// Where the store listens, as `http://127.0.0.1:8000`.
    pub store_url: String,
    /// Where the topic listens.
    pub topic_url: String,
    /// What is published.
    pub published: UnboundedReceiver<sns::Published>,
    shared: SdkConfig,
}

impl Cloud {
    /// Starts both: the store on `port`, the topic on the next one, or both on free ports for 0.
    /// The store is kept in `db`, or in memory.
    ///
    /// # Errors
    /// A port is taken, or the file is no store.
    pub async fn start(template: &Template, port: u16, db: Option<&Path>) -> Result<Self, Problem> {
        let database = open(template, db)?;
        let store = listen(port).await?;
        let topic = listen(if port == 0 { 0 } else { port.saturating_add(1) }).await?;
        let store_url = format!("http://{}", store.local_addr()?);
        let topic_url = format!("http://{}", topic.local_addr()?);
        let (sender, published) = unbounded_channel();
        tokio::spawn(dynoxide::server::serve_on(store, database));
        tokio::spawn(sns::serve(topic, TOPIC.to_owned(), sender));
        let credentials = Credentials::new("local", "local", None, None, "inspector-triage");
        let shared = aws::config()
            .region(Region::from_static(REGION))
            .credentials_provider(credentials)
            .load()
            .await;
        Ok(Self {
            store_url,
            topic_url,
            published,
            shared,
        })
    }

    /// A client of the store.
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        let config = aws_sdk_dynamodb::config::Builder::from(&self.shared);
        aws_sdk_dynamodb::Client::from_conf(config.endpoint_url(&self.store_url).build())
    }

    /// A client of the topic.
    pub fn sns(&self) -> aws_sdk_sns::Client {
        let config = aws_sdk_sns::config::Builder::from(&self.shared);
        aws_sdk_sns::Client::from_conf(config.endpoint_url(&self.topic_url).build())
    }

    /// The environment for a function that is to use them.
    pub fn environment(&self) -> Vec<(&'static str, &str)> {
        vec![
            ("TABLE_NAME", TABLE),
            ("TOPIC_ARN", TOPIC),
            ("AWS_ENDPOINT_URL_DYNAMODB", &self.store_url),
            ("AWS_ENDPOINT_URL_SNS", &self.topic_url),
            ("AWS_REGION", REGION),
            ("AWS_ACCESS_KEY_ID", "local"),
            ("AWS_SECRET_ACCESS_KEY", "local"),
        ]
    }
}

/// The store, with its table.
fn open(template: &Template, db: Option<&Path>) -> Result<Database, Problem> {
    let database = match db {
        None => Database::memory()?,
        Some(file) => {
            let path = file.to_str().ok_or("the name of the store is not UTF-8")?;
            Database::new(path)
                .map_err(|error| format!("cannot open the store {}: {error}", file.display()))?
        }
    };
    if database.get_table_metadata(TABLE)?.is_none() {
        let request = template.create_table(TABLE)?;
        database.create_table(serde_json::from_value(request)?)?;
    }
    Ok(database)
}

async fn listen(port: u16) -> Result<TcpListener, Problem> {
    let cannot = |error| format!("cannot listen on 127.0.0.1:{port}: {error}");
    Ok(TcpListener::bind(("127.0.0.1", port))
        .await
        .map_err(cannot)?)
}
