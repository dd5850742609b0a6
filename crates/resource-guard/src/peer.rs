//! Who is at the other end of the connection, and whose word about certificates counts.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName};
use oauth_rs::certificate::{CLIENT_CERT, CLIENT_CERT_CHAIN, Thumbprint, client_cert};

use crate::reason::Reason;

/// The other end of a connection, as the server that accepted it knows it.
///
/// A server puts it into the extensions of each request; the layer reads it there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peer {
    /// Its address.
    pub address: Option<IpAddr>,
    /// The certificate that it showed in the TLS handshake.
    pub certificate: Option<Thumbprint>,
}

/// The proxies that end TLS in front of the service and say which certificate they saw.
///
/// ```
/// use http::HeaderMap;
/// use resource_guard::peer::{Peer, Proxies};
///
/// let proxies = Proxies::new(["10.0.0.1".parse().unwrap()]);
/// let mut headers = HeaderMap::new();
/// headers.insert("client-cert", ":MAMCAQA=:".parse().unwrap());
/// let proxy = Peer { address: Some("10.0.0.1".parse().unwrap()), certificate: None };
/// assert!(proxies.certificate(Some(&proxy), &mut headers.clone()).unwrap().is_some());
///
/// // From anybody else the field counts as absent, and nobody behind the guard sees it.
/// let stranger = Peer { address: Some("10.0.0.2".parse().unwrap()), certificate: None };
/// assert!(proxies.certificate(Some(&stranger), &mut headers).unwrap().is_none());
/// assert!(headers.is_empty());
/// ```
///
/// # Security
/// A proxy that is named here has to take `Client-Cert` away from what clients send.
///
/// Specification: RFC 9440 section 4.
#[derive(Clone, Debug, Default)]
pub struct Proxies(Vec<IpAddr>);

impl Proxies {
    /// These addresses, each a proxy of the operator's own; IPv4 addresses mapped into IPv6 count as
    /// what they stand for.
    pub fn new(addresses: impl IntoIterator<Item = IpAddr>) -> Self {
        Self(addresses.into_iter().map(|ip| ip.to_canonical()).collect())
    }

    /// The certificate of the client that sent the request.
    ///
    /// From a proxy it is what the field `Client-Cert` says, and never the proxy's own; from
    /// everybody else what the TLS handshake showed. The field and its chain are taken away in any
    /// case.
    ///
    /// # Errors
    /// [`Reason::ClientCert`] if a proxy sent a field that cannot be read.
    pub fn certificate(
        &self,
        peer: Option<&Peer>,
        headers: &mut HeaderMap,
    ) -> Result<Option<Thumbprint>, Reason> {
        let address = peer.and_then(|peer| peer.address);
        let is_proxy = address.is_some_and(|ip| self.0.contains(&ip.to_canonical()));
        let field = if is_proxy {
            client_cert(headers).map_err(|reason| Reason::ClientCert { reason })
        } else {
            Ok(peer.and_then(|peer| peer.certificate.clone()))
        };
        // RFC 9440 section 4: the fields are removed unless a trusted proxy set them; nobody behind
        // the guard needs them.
        for name in [CLIENT_CERT, CLIENT_CERT_CHAIN] {
            headers.remove(HeaderName::from_static(name));
        }
        field
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use oauth_rs::certificate::InvalidClientCert;

    use super::*;

    fn headers(field: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.append(CLIENT_CERT, HeaderValue::from_static(field));
        headers.append(CLIENT_CERT_CHAIN, HeaderValue::from_static(field));
        headers
    }

    fn peer(address: &str, certificate: Option<&[u8]>) -> Peer {
        Peer {
            address: Some(address.parse().unwrap()),
            certificate: certificate.map(Thumbprint::of_der),
        }
    }

    #[test]
    fn the_field_counts_from_a_proxy_alone_and_is_taken_away_from_everybody() {
        let proxies = Proxies::new(["10.0.0.1".parse().unwrap()]);
        let in_field = Some(Thumbprint::of_der(&[0x30, 3, 2, 1, 0]));
        let in_handshake = Some(Thumbprint::of_der(b"own"));
        for (peer, expected) in [
            (Some(peer("10.0.0.1", None)), &in_field),
            (Some(peer("::ffff:10.0.0.1", None)), &in_field),
            // The proxy's own certificate is not the client's.
            (Some(peer("10.0.0.1", Some(b"own"))), &in_field),
            (Some(peer("10.0.0.2", Some(b"own"))), &in_handshake),
            (Some(peer("10.0.0.2", None)), &None),
            (Some(Peer::default()), &None),
            (None, &None),
        ] {
            let mut headers = headers(":MAMCAQA=:");
            let got = proxies.certificate(peer.as_ref(), &mut headers).unwrap();
            assert_eq!(&got, expected, "{peer:?}");
            assert!(headers.is_empty(), "{peer:?}");
        }
        let silent =
            proxies.certificate(Some(&peer("10.0.0.1", Some(b"own"))), &mut HeaderMap::new());
        assert_eq!(silent, Ok(None));
    }

    #[test]
    fn a_field_of_a_proxy_that_cannot_be_read_is_an_error() {
        let proxies = Proxies::new(["::1".parse().unwrap()]);
        let mut broken = headers("MAMCAQA=");
        let reason = InvalidClientCert::Encoding;
        assert_eq!(
            proxies.certificate(Some(&peer("::1", None)), &mut broken),
            Err(Reason::ClientCert { reason })
        );
        assert!(broken.is_empty());
        // From a stranger it is as if it were not there.
        let stranger = proxies.certificate(Some(&peer("::2", None)), &mut headers("MAMCAQA="));
        assert_eq!(stranger, Ok(None));
    }
}
