//! Requests over connections that stay open: one on each at the same time, then all answers.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use crate::Outcome;

/// How long one answer may take, under a tool that counts instructions too.
const LIMIT: Duration = Duration::from_secs(60);

/// Connections to one server.
pub(crate) struct Load {
    connections: Vec<Connection>,
}

/// What is sent again and again.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) bytes: Vec<u8>,
    /// The status of each answer; another one is a failure.
    pub(crate) status: u16,
}

struct Connection {
    stream: TcpStream,
    /// What was read of the answers.
    buffer: Vec<u8>,
}

impl Load {
    pub(crate) fn open(port: u16, connections: usize) -> Outcome<Self> {
        let connections = (0..connections)
            .map(|_| Connection::open(port))
            .collect::<Outcome<_>>()?;
        Ok(Load { connections })
    }

    /// Sends at least so many requests, and gives how many it were and how long an answer is.
    pub(crate) fn run(&mut self, request: &Request, at_least: usize) -> Outcome<Sent> {
        self.run_each(std::iter::repeat_n(request, at_least))
    }

    /// Sends these requests, a round on all connections at a time; the last round is filled up with its last request.
    pub(crate) fn run_each<'a>(
        &mut self,
        requests: impl IntoIterator<Item = &'a Request>,
    ) -> Outcome<Sent> {
        let mut sent = Sent::default();
        let mut requests = requests.into_iter().peekable();
        while let Some(mut request) = requests.peek().copied() {
            let mut statuses = Vec::with_capacity(self.connections.len());
            for connection in &mut self.connections {
                request = requests.next().unwrap_or(request);
                connection.stream.write_all(&request.bytes).map_err(told)?;
                statuses.push(request.status);
            }
            for (connection, status) in self.connections.iter_mut().zip(statuses) {
                (sent.head, sent.body) = connection.answer(status)?;
                sent.requests += 1;
            }
        }
        Ok(sent)
    }

    /// Sends one request and gives the body of its answer.
    pub(crate) fn ask(&mut self, request: &Request) -> Outcome<String> {
        let Some(connection) = self.connections.first_mut() else {
            return Err("there is no connection".to_owned());
        };
        connection.stream.write_all(&request.bytes).map_err(told)?;
        let (head, body) = connection.answer(request.status)?;
        let body = connection.buffer.get(head..head + body).unwrap_or_default();
        Ok(String::from_utf8_lossy(body).into_owned())
    }
}

/// What a run was.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sent {
    pub(crate) requests: usize,
    /// The length of the last answer's head in bytes, with the empty line at its end.
    pub(crate) head: usize,
    /// The length of the last answer's body in bytes.
    pub(crate) body: usize,
}

impl Connection {
    fn open(port: u16) -> Outcome<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).map_err(told)?;
        stream.set_nodelay(true).map_err(told)?;
        stream.set_read_timeout(Some(LIMIT)).map_err(told)?;
        Ok(Connection {
            stream,
            buffer: vec![0; 1024 * 1024],
        })
    }

    /// Reads one answer and gives the length of its head and body; another status is a failure.
    fn answer(&mut self, status: u16) -> Outcome<(usize, usize)> {
        let mut filled = 0;
        loop {
            let room = self.buffer.get_mut(filled..).unwrap_or_default();
            let read = self.stream.read(room).map_err(told)?;
            if read == 0 {
                return Err(
                    "the server closed the connection, or its answer is too long".to_owned(),
                );
            }
            filled += read;
            let answer = self.buffer.get(..filled).unwrap_or_default();
            if let Some((head, body)) = measure(answer, status)?
                && filled >= head + body
            {
                return Ok((head, body));
            }
        }
    }
}

/// The length of the head and of the body of an answer, as soon as its head is there.
fn measure(answer: &[u8], status: u16) -> Outcome<Option<(usize, usize)>> {
    let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = answer.get(..end).unwrap_or_default();
    let head =
        std::str::from_utf8(head).map_err(|error| format!("the head of an answer: {error}"))?;
    if !head.starts_with(&format!("HTTP/1.1 {status} ")) {
        return Err(format!("the server answered {head:?}"));
    }
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse().ok())?
    });
    let length = length.ok_or_else(|| format!("an answer without a length: {head:?}"))?;
    Ok(Some((end + 4, length)))
}

fn told(error: std::io::Error) -> String {
    format!("a connection to the server: {error}")
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn each_request_is_sent_once_and_the_last_round_is_filled_up() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = std::thread::spawn(move || {
            let mut open: Vec<TcpStream> = (0..2).map(|_| listener.accept().unwrap().0).collect();
            let mut seen = Vec::new();
            loop {
                for stream in &mut open {
                    let mut byte = [0];
                    if stream.read(&mut byte).unwrap() == 0 {
                        return seen;
                    }
                    seen.extend(byte);
                    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
                    stream.write_all(answer).unwrap();
                }
            }
        });
        let mut load = Load::open(port, 2).unwrap();
        let request = |byte: u8| Request {
            bytes: vec![byte],
            status: 200,
        };
        let requests = [request(1), request(2), request(3)];
        let sent = load.run_each(&requests).unwrap();
        assert_eq!((sent.requests, sent.body), (4, 2));
        drop(load);
        assert_eq!(server.join().unwrap(), [1, 2, 3, 3]);
    }

    #[test]
    fn an_answer_is_measured_when_its_head_is_there() {
        assert_eq!(measure(b"HTTP/1.1 200 OK\r\nContent-Le", 200), Ok(None));
        let whole = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
        assert_eq!(measure(whole, 200), Ok(Some((whole.len() - 2, 2))));
        let refused = b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n";
        assert_eq!(measure(refused, 401), Ok(Some((refused.len(), 0))));
    }

    #[test]
    fn an_answer_of_another_status_or_without_a_length_is_a_failure() {
        for answer in [
            &b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"[..],
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
        ] {
            assert!(measure(answer, 200).is_err());
        }
    }
}
