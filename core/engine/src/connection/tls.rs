//! Trust of the TLS layer: the public certificate authorities, and one more if the host says so.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use crate::error::{Code, Error};

/// The TLS configuration of an engine. `extra_ca_pem` holds certificates to trust as well.
pub(crate) fn config(extra_ca_pem: Option<&str>) -> Result<Arc<ClientConfig>, Error> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(pem) = extra_ca_pem {
        add(&mut roots, pem)?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| {
            Error::new(Code::Internal, "the TLS library has no protocol versions").because(error)
        })?
        .with_root_certificates(roots)
        .with_no_client_auth();
    // One connection per client: a session cache per engine keeps resumption cheap and small.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn add(roots: &mut RootCertStore, pem: &str) -> Result<(), Error> {
    let refused = "the extra certificate authority is not PEM with at least one certificate";
    let before = roots.len();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate =
            certificate.map_err(|error| Error::new(Code::InvalidArgument, refused).because(error))?;
        roots.add(certificate).map_err(|error| Error::new(Code::InvalidArgument, refused).because(error))?;
    }
    if roots.len() == before {
        return Err(Error::new(Code::InvalidArgument, refused));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_authority_is_refused() {
        assert!(config(None).is_ok());
        for pem in ["", "no pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            assert_eq!(config(Some(pem)).unwrap_err().code(), Code::InvalidArgument, "{pem:?}");
        }
    }
}
