//! What ECR says of images, through the SDK's own client, against a stand-in that is as strict as the real one.

use std::slice::from_ref;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use inspector_triage::{
    adapters::{aws, ecr::Ecr},
    app::{Attempt, Found, Images, NotAnswered, Refusal, TimeLimit, failure::chain},
    domain::gate::{Frequency, Image, ImageName, ImageStatus, ScanStatus, Scanned, Scanning},
    emulator::{
        self, ACCOUNT, REGION,
        http::InProcess,
        registry::{self, Registry, Trouble},
    },
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::{net::TcpListener, time::Instant};

const DOCKER: &str = "application/vnd.docker.distribution.manifest.v2+json";
const OCI: &str = "application/vnd.oci.image.manifest.v1+json";
const REPOSITORY: &str = "team/app";

async fn shared() -> SdkConfig {
    let credentials = aws_sdk_ecr::config::Credentials::new("local", "local", None, None, "test");
    aws::config().region(Region::from_static(REGION)).credentials_provider(credentials).load().await
}

/// A registry with these images in one repository, and a client of it.
async fn registry_of(images: Vec<registry::Image>) -> (Ecr, Registry) {
    let registry = Registry::new(ACCOUNT);
    registry.contents().repositories.insert(REPOSITORY.to_owned(), images);
    let config = aws_sdk_ecr::config::Builder::from(&shared().await)
        .http_client(InProcess(registry.clone()));
    (Ecr::new(config), registry)
}

/// An image with a number.
fn plain(number: usize) -> registry::Image {
    registry::Image::new(DOCKER, &format!("{{\"schemaVersion\": 2, \"number\": {number}}}"))
}

/// An index of these images, each with its platform, and with a record of how they were built.
fn index(entries: &[(&registry::Image, &str)]) -> registry::Image {
    let entry = |image: &registry::Image, platform: Value| json!({"mediaType": OCI, "digest": image.digest, "size": 500, "platform": platform});
    let mut manifests: Vec<Value> = entries
        .iter()
        .map(|(image, platform)| {
            let mut parts = platform.split('/');
            let (os, architecture) = (parts.next().unwrap(), parts.next().unwrap());
            let mut platform = json!({"os": os, "architecture": architecture});
            if let Some(variant) = parts.next() {
                platform["variant"] = json!(variant);
            }
            entry(image, platform)
        })
        .collect();
    let mut record = entry(&plain(999), json!({"os": "unknown", "architecture": "unknown"}));
    record["annotations"] = json!({"vnd.docker.reference.type": "attestation-manifest"});
    manifests.push(record);
    let index = json!({"schemaVersion": 2, "mediaType": Image::INDEXES[0], "manifests": manifests});
    registry::Image::new(Image::INDEXES[0], &format!("{index:#}"))
}

fn name(text: &str) -> ImageName {
    text.parse().unwrap()
}

fn by_digest(image: &registry::Image) -> ImageName {
    name(&format!("{REPOSITORY}@{}", image.digest))
}

async fn found(ecr: &Ecr, image: &ImageName) -> Image {
    match ecr.image(image, TimeLimit::none()).await {
        Ok(Found::Image(image)) => *image,
        other => panic!("{image}: {other:?}"),
    }
}

/// Why there is no answer: the kind, and what is said.
fn refusal<T: std::fmt::Debug>(answer: Result<T, NotAnswered>) -> (Refusal, String) {
    let error = answer.unwrap_err();
    (error.why, chain(&error.failed))
}

/// The operations that were asked for.
fn operations(registry: &Registry) -> Vec<String> {
    registry.contents().requests.iter().map(|(operation, _)| operation.clone()).collect()
}

/// The same trouble for each request.
fn always(registry: &Registry, trouble: Trouble) {
    registry.contents().trouble = Some(Box::new(move |_, _| Some(trouble)));
}

/// These troubles for the first requests.
fn at_first(registry: &Registry, trouble: &'static [Trouble]) {
    registry.contents().trouble = Some(Box::new(|number, _| trouble.get(number).copied()));
}

#[tokio::test]
async fn a_tag_is_resolved_to_the_image_that_has_it() {
    let scan = Some(("ACTIVE".to_owned(), "Continuous scan is selected for image.".to_owned()));
    let own = registry::Image { scan, ..plain(1).tagged("1.2").tagged("latest") };
    let (ecr, registry) = registry_of(vec![plain(2).tagged("1.1"), own.clone()]).await;
    assert_eq!(ecr.region(), Some(REGION));
    let image = found(&ecr, &name("team/app:1.2")).await;
    let expected = Image {
        account: ACCOUNT.to_owned(),
        repository: REPOSITORY.to_owned(),
        digest: own.digest.clone(),
        tags: vec!["1.2".to_owned(), "latest".to_owned()],
        pushed_at: Some("2026-11-20T10:00:00.125Z".parse().unwrap()),
        size: Some(31_415_926),
        media_type: Some(DOCKER.to_owned()),
        status: ImageStatus::Active,
        scan: Some(ScanStatus {
            status: "ACTIVE".to_owned(),
            description: "Continuous scan is selected for image.".to_owned(),
        }),
    };
    assert_eq!(image, expected);
    assert!(!image.is_index() && !image.is_archived());
    let arn = format!("arn:aws:ecr:{REGION}:{ACCOUNT}:repository/team/app/{}", own.digest);
    assert_eq!(image.arn(REGION), arn);
    assert_eq!(found(&ecr, &by_digest(&own)).await, expected);
    let both = name(&format!("team/app:gone@{}", own.digest));
    assert_eq!(found(&ecr, &both).await, expected, "the digest counts");
    assert_eq!(
        registry.contents().requests[0].1,
        json!({"repositoryName": "team/app", "imageIds": [{"imageTag": "1.2"}]})
    );
}

#[tokio::test]
async fn the_registry_of_the_name_is_the_one_that_is_asked() {
    let (ecr, registry) = registry_of(vec![plain(1).tagged("1.2")]).await;
    let host = |account| format!("{account}.dkr.ecr.{REGION}.amazonaws.com/team/app:1.2");
    found(&ecr, &name(&host(ACCOUNT))).await;
    let other = ecr.image(&name(&host("444455556666")), TimeLimit::none()).await;
    assert_eq!(other.unwrap(), Found::NoRepository);
    assert_eq!(registry.contents().requests[1].1["registryId"], "444455556666");
}

#[tokio::test]
async fn a_repository_that_is_not_there_is_told_from_an_image_that_is_not() {
    let (ecr, registry) = registry_of(vec![plain(1).tagged("1.2")]).await;
    let ask = async |text: &str| ecr.image(&name(text), TimeLimit::none()).await.unwrap();
    assert_eq!(ask("team/web:1.2").await, Found::NoRepository);
    assert_eq!(ask("team/app:1.3").await, Found::NoImage);
    let gone = by_digest(&plain(2));
    assert_eq!(ask(&gone.to_string()).await, Found::NoImage);
    assert_eq!(registry.contents().requests.len(), 3, "no answer is asked for twice");
}

#[tokio::test]
async fn an_image_in_the_archive_is_found_and_not_read() {
    let archived = |image: registry::Image| registry::Image {
        status: Some("ARCHIVED".to_owned()),
        scan: Some(("IMAGE_ARCHIVED".to_owned(), String::new())),
        ..image
    };
    let old = registry::Image { status: None, media_type: None, ..plain(3) };
    let images = vec![
        archived(plain(1).tagged("1.2")),
        archived(index(&[(&plain(1), "linux/amd64")]).tagged("multi")),
        old.clone(),
        registry::Image { status: Some("ACTIVATING".to_owned()), ..plain(4).tagged("back") },
    ];
    let (ecr, _) = registry_of(images).await;
    let image = found(&ecr, &name("team/app:1.2")).await;
    assert!(image.is_archived());
    let index = found(&ecr, &name("team/app:multi")).await;
    let (why, said) = refusal(ecr.platforms(&index, TimeLimit::none()).await);
    assert_eq!(why, Refusal::Other);
    assert!(said.contains("ImageInaccessible: The requested image is in an"), "{said}");
    assert!(!found(&ecr, &by_digest(&old)).await.is_archived());
    let coming = found(&ecr, &name("team/app:back")).await;
    assert_eq!(coming.status, ImageStatus::Activating);
}

#[tokio::test]
async fn an_index_is_followed_to_the_images_of_its_platforms() {
    let (amd, arm) = (plain(1), plain(2));
    let both = index(&[(&amd, "linux/amd64"), (&arm, "linux/arm64/v8")]).tagged("1.2");
    let images = vec![amd.clone(), both.clone(), arm.clone(), plain(999)];
    let (ecr, registry) = registry_of(images).await;
    let index = found(&ecr, &name("team/app:1.2")).await;
    assert!(index.is_index());
    let platforms = ecr.platforms(&index, TimeLimit::none()).await.unwrap();
    let named: Vec<_> = platforms.iter().map(|one| (one.to_string(), one.digest.clone())).collect();
    let expected = [("linux/amd64", &amd), ("linux/arm64/v8", &arm)];
    assert_eq!(named, expected.map(|(name, image)| (name.to_owned(), image.digest.clone())));

    // One image may be that of several platforms, and one may be gone.
    let mut digests: Vec<String> = named.into_iter().map(|(_, digest)| digest).collect();
    digests.push(amd.digest.clone());
    let ask = async |digests: &[String]| {
        let images = ecr.images(&by_digest(&both), digests, TimeLimit::none()).await.unwrap();
        let mut images: Vec<String> = images.into_iter().map(|image| image.digest).collect();
        images.sort();
        images
    };
    let mut expected = vec![amd.digest.clone(), arm.digest.clone()];
    expected.sort();
    registry.contents().requests.clear();
    assert_eq!(ask(&digests).await, expected);
    assert_eq!(registry.contents().requests.len(), 1);
    digests.push(plain(3).digest);
    assert_eq!(ask(&digests).await, expected);
    assert_eq!(registry.contents().requests.len(), 1 + 1 + 3, "then each is asked for by itself");
    assert_eq!(ask(&[]).await, Vec::<String>::new());

    let gone = name(&format!("team/web@{}", amd.digest));
    let none = ecr.images(&gone, &digests, TimeLimit::none()).await.unwrap();
    assert_eq!(none, []);
}

#[tokio::test]
async fn many_images_are_asked_for_a_hundred_at_a_time() {
    let images: Vec<_> = (0..250).map(plain).collect();
    let digests: Vec<String> = images.iter().map(|image| image.digest.clone()).collect();
    let (ecr, registry) = registry_of(images).await;
    let name = name("team/app:1.2");
    assert_eq!(ecr.images(&name, &digests, TimeLimit::none()).await.unwrap().len(), 250);
    assert_eq!(registry.contents().requests.len(), 3);
}

#[tokio::test]
async fn a_manifest_that_is_not_the_digests_is_not_believed() {
    let mut index = index(&[(&plain(1), "linux/amd64")]).tagged("1.2");
    index.manifest = index.manifest.replace("amd64", "arm64");
    let (ecr, _) = registry_of(vec![index]).await;
    let image = found(&ecr, &name("team/app:1.2")).await;
    let (why, said) = refusal(ecr.platforms(&image, TimeLimit::none()).await);
    assert_eq!(why, Refusal::Other);
    let begins =
        format!("ECR BatchGetImage team/app@{} failed: it is about the digest", image.digest);
    assert!(said.starts_with(&begins) && said.ends_with("which was not asked for"), "{said}");
}

#[tokio::test]
async fn what_lists_no_images_has_no_platforms() {
    let (ecr, _) = registry_of(vec![plain(1).tagged("1.2")]).await;
    let image = found(&ecr, &name("team/app:1.2")).await;
    let (_, said) = refusal(ecr.platforms(&image, TimeLimit::none()).await);
    // ECR makes no index of an image.
    assert!(said.contains("ImageNotFound"), "{said}");

    let mut nested = json!({"schemaVersion": 2, "manifests": []});
    let inner = index(&[(&plain(1), "linux/amd64")]);
    nested["manifests"] = json!([{"mediaType": Image::INDEXES[0], "digest": inner.digest}]);
    let nested = registry::Image::new(Image::INDEXES[1], &nested.to_string()).tagged("1.2");
    let (ecr, _) = registry_of(vec![nested]).await;
    let image = found(&ecr, &name("team/app:1.2")).await;
    let (_, said) = refusal(ecr.platforms(&image, TimeLimit::none()).await);
    assert!(said.contains(&format!("lists another index, {}", inner.digest)), "{said}");
}

#[tokio::test]
async fn an_answer_about_something_else_is_not_believed() {
    const OTHER: &str = "444455556666";
    let own = plain(1).tagged("1.2");
    let (ecr, registry) = registry_of(vec![own.clone()]).await;
    let named = name(&format!("{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/team/app:1.2"));
    for (trouble, says) in [
        (Trouble::Changed(ACCOUNT, OTHER), "it is about the registry \"444455556666\""),
        (Trouble::Changed("\"registryId\"", "\"id\""), "registryId is \"\""),
        (Trouble::Changed("team/app", "team/web"), "it is about the repository \"team/web\""),
        (Trouble::Changed("\"imageDigest\"", "\"digest\""), "imageDigest is \"\""),
        (Trouble::Changed("sha256:", "sha512:"), "imageDigest is \"sha512:"),
        (Trouble::Changed("\"1.2\"", "\"1.3\""), "that has not the tag that was asked for"),
        (Trouble::Empty, "expected one image, found 0"),
    ] {
        always(&registry, trouble);
        let (why, said) = refusal(ecr.image(&named, TimeLimit::none()).await);
        assert_eq!(why, Refusal::Other);
        let begins = "ECR DescribeImages team/app:1.2 failed: ";
        assert!(said.starts_with(begins) && said.contains(says), "{trouble:?}: {said}");
    }
    // Another image than the one that was asked for.
    let first: &'static str = String::leak(own.digest.clone());
    let second: &'static str = String::leak(plain(2).digest);
    always(&registry, Trouble::Changed(first, second));
    let answer = ecr.image(&by_digest(&own), TimeLimit::none()).await;
    assert!(refusal(answer).1.contains("it is about the digest"));
    let answer = ecr.images(&named, from_ref(&own.digest), TimeLimit::none()).await;
    assert!(refusal(answer).1.contains("it is about the digest"));
}

/// For so long from now on, by the clock of the test.
async fn within<T>(time: SignedDuration, ask: impl AsyncFnOnce(TimeLimit<'_>) -> T) -> T {
    let begun = Instant::now();
    let left = move || time - SignedDuration::try_from(begun.elapsed()).unwrap();
    let attempt = Attempt { left: &left, ..Attempt::new("test", Timestamp::UNIX_EPOCH) };
    ask(attempt.until(SignedDuration::ZERO)).await
}

#[tokio::test(start_paused = true)]
async fn what_is_throttled_is_asked_again_when_ecr_says() {
    let (ecr, registry) = registry_of(vec![plain(1).tagged("1.2")]).await;
    at_first(&registry, &[Trouble::Throttled(7), Trouble::Throttled(3)]);
    let begun = Instant::now();
    let image = name("team/app:1.2");
    within(SignedDuration::from_mins(1), async |limit| {
        ecr.image(&image, limit).await.unwrap();
    })
    .await;
    assert_eq!(begun.elapsed().as_secs(), 10);
    assert_eq!(registry.contents().requests.len(), 3);
    // Nothing slows down what comes next.
    found(&ecr, &image).await;
    assert_eq!(begun.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn what_is_throttled_to_the_end_is_given_up_in_time() {
    let (ecr, registry) = registry_of(vec![plain(1).tagged("1.2")]).await;
    always(&registry, Trouble::Throttled(7));
    let begun = Instant::now();
    let answer = within(SignedDuration::from_mins(1), async |limit| {
        ecr.image(&name("team/app:1.2"), limit).await
    });
    let (why, said) = refusal(answer.await);
    assert_eq!(why, Refusal::Busy);
    let expected = "ECR DescribeImages team/app:1.2 failed: ThrottlingException: Rate exceeded";
    assert_eq!(said, expected);
    assert!((50..60).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn errors_of_ecrs_own_are_tried_five_times() {
    let image = name("team/app:1.2");
    let (ecr, registry) = registry_of(vec![plain(1).tagged("1.2")]).await;
    at_first(&registry, &[Trouble::Error, Trouble::CutOff]);
    found(&ecr, &image).await;
    assert_eq!(registry.contents().requests.len(), 3);
    for trouble in [Trouble::Error, Trouble::CutOff] {
        let (ecr, registry) = registry_of(vec![plain(1).tagged("1.2")]).await;
        always(&registry, trouble);
        let (why, _) = refusal(ecr.image(&image, TimeLimit::none()).await);
        assert_eq!(why, Refusal::Other);
        assert_eq!(registry.contents().requests.len(), 5, "{trouble:?}");
    }
}

#[tokio::test]
async fn what_is_refused_says_why_at_once() {
    let (ecr, registry) = registry_of(vec![plain(1).tagged("1.2")]).await;
    let image = found(&ecr, &name("team/app:1.2")).await;
    for (trouble, kind, says) in [
        (Trouble::Denied, Refusal::Denied, "AccessDeniedException: is not authorized"),
        (Trouble::TokenExpired, Refusal::Other, "ExpiredTokenException: The security token"),
    ] {
        registry.contents().requests.clear();
        always(&registry, trouble);
        let limit = TimeLimit::none;
        for (why, said) in [
            refusal(ecr.image(&name("team/app:1.2"), limit()).await),
            refusal(ecr.images(&name("team/app:1.2"), from_ref(&image.digest), limit()).await),
            refusal(ecr.platforms(&image, limit()).await),
            refusal(ecr.scanning(limit()).await),
        ] {
            assert_eq!(why, kind, "{said}");
            assert!(said.contains(says), "{said}");
        }
        assert_eq!(
            operations(&registry),
            [
                "DescribeImages",
                "DescribeImages",
                "BatchGetImage",
                "GetRegistryScanningConfiguration"
            ]
        );
    }
}

#[tokio::test]
async fn the_registry_says_which_images_it_has_scanned() {
    let (ecr, registry) = registry_of(vec![plain(1).tagged("1.2")]).await;
    let image = found(&ecr, &name("team/app:1.2")).await;
    let ask = async |scanning: Value| {
        registry.contents().scanning = scanning;
        ecr.scanning(TimeLimit::none()).await
    };
    let rule = |frequency: &str, filter: &str| {
        let filter = json!({"filter": filter, "filterType": "WILDCARD"});
        json!({"scanFrequency": frequency, "repositoryFilters": [filter]})
    };
    let enhanced = |rules: &[Value]| json!({"scanType": "ENHANCED", "rules": rules});
    let continuous = Scanned::Enhanced(Frequency::Continuous);
    for (scanning, expected) in [
        (enhanced(&[rule("CONTINUOUS_SCAN", "*")]), continuous),
        (enhanced(&[rule("SCAN_ON_PUSH", "*"), rule("CONTINUOUS_SCAN", "team/*")]), continuous),
        (enhanced(&[rule("SCAN_ON_PUSH", "app")]), Scanned::Enhanced(Frequency::OnPush)),
        (enhanced(&[rule("SCAN_ON_PUSH", "web")]), Scanned::NoRule),
        (enhanced(&[rule("MANUAL", "*")]), Scanned::NoRule),
        (enhanced(&[]), Scanned::NoRule),
        (json!({"scanType": "BASIC", "rules": [rule("SCAN_ON_PUSH", "*")]}), Scanned::Basic),
        (json!({"scanType": "BASIC"}), Scanned::Basic),
    ] {
        let answer: Scanning = ask(scanning.clone()).await.unwrap();
        assert_eq!(answer.account, ACCOUNT);
        assert_eq!(answer.of(&image), expected, "{scanning}");
    }
    // The SDK would fill in what is missing.
    let without = |field: &str| {
        let mut rule = rule("SCAN_ON_PUSH", "app");
        rule.as_object_mut().unwrap().remove(field);
        enhanced(&[rule])
    };
    let filter = |filter: Value| {
        enhanced(&[json!({"scanFrequency": "SCAN_ON_PUSH", "repositoryFilters": [filter]})])
    };
    for (scanning, says) in [
        (json!({"rules": []}), "scanType is \"nothing\", which is not known here"),
        (json!({"scanType": "EXTENDED"}), "scanType is \"EXTENDED\""),
        (without("scanFrequency"), "scanFrequency is \"no value was set\""),
        (enhanced(&[rule("HOURLY", "*")]), "scanFrequency is \"HOURLY\""),
        (filter(json!({"filterType": "WILDCARD"})), "filter is \"\""),
        (filter(json!({"filter": "app"})), "filterType is \"no value was set\""),
        (filter(json!({"filter": "app", "filterType": "REGEX"})), "filterType is \"REGEX\""),
    ] {
        let (why, said) = refusal(ask(scanning.clone()).await);
        assert_eq!(why, Refusal::Other);
        let begins = "ECR GetRegistryScanningConfiguration of this account failed: ";
        assert!(said.starts_with(begins) && said.contains(says), "{scanning}: {said}");
    }
    always(&registry, Trouble::Empty);
    let (_, said) = refusal(ecr.scanning(TimeLimit::none()).await);
    assert!(said.contains("registryId is \"\""), "{said}");
}

#[tokio::test]
async fn the_emulator_has_a_registry_in_this_process_and_over_a_network() {
    let template = emulator::template::Template::read(emulator::template::OWN).unwrap();
    let emulator = emulator::Emulator::open(&template, None).await.unwrap();
    let own = plain(1).tagged("1.2");
    emulator.registry.contents().repositories.insert(REPOSITORY.to_owned(), vec![own.clone()]);
    let image = found(&Ecr::new(emulator.ecr()), &name("team/app:1.2")).await;
    assert_eq!(image.digest, own.digest);

    let settings = emulator.serve(0).await.unwrap();
    let (_, endpoint) = settings.iter().find(|(name, _)| *name == "AWS_ENDPOINT_URL_ECR").unwrap();
    let config = aws_sdk_ecr::config::Builder::from(&shared().await).endpoint_url(endpoint);
    let image = found(&Ecr::new(config), &name("team/app:1.2")).await;
    assert_eq!(image.digest, own.digest);
}

#[tokio::test]
async fn over_a_network_the_stand_in_says_how_long_to_wait() {
    let registry = Registry::new(ACCOUNT);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(registry.clone().serve(listener));
    at_first(&registry, &[Trouble::Throttled(0)]);
    let config = aws_sdk_ecr::config::Builder::from(&shared().await).endpoint_url(endpoint);
    let answer = Ecr::new(config).image(&name("team/app:1.2"), TimeLimit::none()).await;
    assert_eq!(answer.unwrap(), Found::NoRepository);
    assert_eq!(registry.contents().requests.len(), 2);
}

/// A client of the SDK alone.
async fn client(registry: &Registry) -> aws_sdk_ecr::Client {
    let config = aws_sdk_ecr::config::Builder::from(&shared().await)
        .behavior_version(BehaviorVersion::v2026_01_12())
        .http_client(InProcess(registry.clone()));
    aws_sdk_ecr::Client::from_conf(config.build())
}

#[tokio::test]
async fn the_stand_in_lists_images_a_page_at_a_time() {
    let mut images: Vec<_> = (0..25).map(plain).collect();
    images[3].status = Some("ARCHIVED".to_owned());
    images[4] = plain(4).tagged("1.2");
    let (_, registry) = registry_of(images).await;
    registry.contents().page_size = 10;
    let client = client(&registry).await;
    let list = || client.describe_images().repository_name(REPOSITORY);
    let pages = list().into_paginator().items().send();
    let listed = pages.collect::<Result<Vec<_>, _>>().await.unwrap();
    assert_eq!(listed.len(), 24, "a listing leaves the archive out");
    assert_eq!(operations(&registry), ["DescribeImages"; 3]);
    let filter = aws_sdk_ecr::types::DescribeImagesFilter::builder()
        .tag_status("TAGGED".into())
        .image_status("ANY".into());
    let tagged = list().max_results(1000).filter(filter.build()).send().await.unwrap();
    assert_eq!(tagged.image_details().len(), 1);
}

#[tokio::test]
async fn the_stand_in_takes_what_is_in_the_model_and_nothing_else() {
    let (_, registry) = registry_of(vec![plain(1).tagged("1.2")]).await;
    let target = |operation: &str| format!("AmazonEC2ContainerRegistry_V20150921.{operation}");
    let id = json!({"imageTag": "1.2"});
    for (operation, body, code) in [
        ("DescribeImages", json!({}), "InvalidParameterException"),
        (
            "DescribeImages",
            json!({"repositoryName": REPOSITORY, "registry": ACCOUNT}),
            "InvalidParameterException",
        ),
        (
            "DescribeImages",
            json!({"repositoryName": REPOSITORY, "imageIds": []}),
            "InvalidParameterException",
        ),
        (
            "DescribeImages",
            json!({"repositoryName": REPOSITORY, "imageIds": [id], "maxResults": 1}),
            "InvalidParameterException",
        ),
        (
            "BatchGetImage",
            json!({"repositoryName": REPOSITORY, "imageIds": [{"tag": "1.2"}]}),
            "InvalidParameterException",
        ),
        (
            "GetRegistryScanningConfiguration",
            json!({"registryId": ACCOUNT}),
            "InvalidParameterException",
        ),
        ("DeleteRepository", json!({"repositoryName": REPOSITORY}), "UnknownOperationException"),
    ] {
        let answer = registry.perform(&target(operation), body.to_string().as_bytes());
        let refused: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!((answer.status, &refused["__type"]), (400, &json!(code)), "{operation} {body}");
    }
    assert_eq!(registry.perform("", b"{}").status, 400);
    assert_eq!(registry.perform(&target("DescribeImages"), b"{").status, 400);
}
