//! Sends one request over plain HTTP, which is for this machine only.

use std::error::Error;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// An answer that is larger is not read to its end.
const MAX_BODY: usize = 8 * 1024 * 1024;

/// Opens a connection for this request.
pub(crate) async fn send(request: Request<Vec<u8>>) -> Result<Response<Bytes>, Box<dyn Error>> {
    let authority = request.uri().authority();
    let authority = authority.ok_or("an address without a host")?.clone();
    let stream = TcpStream::connect(authority.as_str()).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);

    let mut request = request.map(|body| Full::new(Bytes::from(body)));
    // RFC 9112 section 3.2: a client names the host.
    let host = HeaderValue::from_str(authority.as_str())?;
    request.headers_mut().insert(header::HOST, host);
    let (parts, body) = sender.send_request(request).await?.into_parts();
    let body = Limited::new(body, MAX_BODY).collect().await;
    let body = body.map_err(|error| -> Box<dyn Error> { error })?;
    Ok(Response::from_parts(parts, body.to_bytes()))
}
