//! TLS for the servers: an authority made for this run alone, and a certificate of it.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use inspector_triage::app::failure::BoxError;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
};
use tokio_rustls::rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};

/// How many authorities a machine of Lambda trusts, about. A client reads all of them before its
/// first connection, so ours is one among as many.
const AUTHORITIES: usize = 140;

/// What clients trust, and what servers show.
pub struct Certificates {
    /// A file with the authorities.
    pub trusted: PathBuf,
    /// For servers on `localhost`.
    pub server: Arc<ServerConfig>,
}

/// Makes them, with the authorities in a file in `folder`.
pub fn make(folder: &Path) -> Result<Certificates, BoxError> {
    let authority = CertifiedIssuer::self_signed(authority("cold start"), KeyPair::generate()?)?;
    let other_key = KeyPair::generate()?;
    let mut trusted = String::new();
    for number in 1..AUTHORITIES {
        trusted += &self::authority(&format!("other {number}")).self_signed(&other_key)?.pem();
    }
    trusted += &authority.pem();
    let file = folder.join("trusted.pem");
    fs::write(&file, trusted)
        .map_err(|error| format!("cannot write {}: {error}", file.display()))?;

    let key = KeyPair::generate()?;
    let mut server = CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()])?;
    server.use_authority_key_identifier_extension = true;
    let certificate = server.signed_by(&key, &authority)?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)?;
    Ok(Certificates { trusted: file, server: Arc::new(server) })
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
}
