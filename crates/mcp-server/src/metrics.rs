//! What this process has done, as numbers that Prometheus reads.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The numbers. Every label has a bounded set of values: names of ours, classes of statuses.
#[derive(Debug, Default)]
pub(crate) struct Metrics(Mutex<Numbers>);

#[derive(Debug, Default)]
struct Numbers {
    /// By class of status: `2xx`.
    requests: BTreeMap<&'static str, u64>,
    /// By the name of the guard's reason.
    refused: BTreeMap<String, u64>,
    /// By tool and outcome.
    calls: BTreeMap<(&'static str, &'static str), u64>,
    /// By whom was asked and the class of the answer.
    upstream: BTreeMap<(&'static str, &'static str), Histogram>,
}

/// Upper bounds of the buckets, in milliseconds: from an answer out of a cache to the time limit of a call.
const BOUNDS_MS: [u64; 10] = [5, 10, 25, 50, 100, 250, 500, 1000, 5000, 30_000];

/// How long something took, how often.
#[derive(Debug, Default)]
struct Histogram {
    /// How many took at most as long as each bound; and those that took longer.
    buckets: [u64; BOUNDS_MS.len()],
    count: u64,
    sum: Duration,
}

impl Histogram {
    fn observe(&mut self, took: Duration) {
        self.count = self.count.saturating_add(1);
        self.sum = self.sum.saturating_add(took);
        for (bound, bucket) in BOUNDS_MS.iter().zip(&mut self.buckets) {
            if took <= Duration::from_millis(*bound) {
                *bucket = bucket.saturating_add(1);
            }
        }
    }
}

/// The class of a status, as a label.
pub(crate) fn class(status: http::StatusCode) -> &'static str {
    match status.as_u16() / 100 {
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}

impl Metrics {
    /// A request to the endpoint was answered.
    pub(crate) fn answered(&self, status: http::StatusCode) {
        count(self.lock().requests.entry(class(status)).or_default());
    }

    /// The guard refused a request, for a reason with this name.
    pub(crate) fn refused(&self, reason: &resource_guard::Reason) {
        // The name of the variant: there are as many as the source has, and none holds what came in.
        let name = format!("{reason:?}");
        let end = name.find(|c: char| !c.is_ascii_alphanumeric());
        let name = end.and_then(|end| name.get(..end)).unwrap_or(&name);
        count(self.lock().refused.entry(name.to_owned()).or_default());
    }

    /// A call of a tool has ended; both names are ours.
    pub(crate) fn called(&self, tool: &'static str, outcome: &'static str) {
        count(self.lock().calls.entry((tool, outcome)).or_default());
    }

    /// Somebody else was asked.
    pub(crate) fn asked(&self, whom: &'static str, answer: &'static str, took: Duration) {
        let mut numbers = self.lock();
        let histogram = numbers.upstream.entry((whom, answer)).or_default();
        histogram.observe(took);
    }

    /// All of it, in the text format of Prometheus, version 0.0.4.
    pub(crate) fn text(&self) -> String {
        let numbers = self.lock();
        let mut text = String::new();
        // Writing to a `String` cannot fail.
        let _ = numbers.write(&mut text);
        text
    }

    fn lock(&self) -> MutexGuard<'_, Numbers> {
        // Every step leaves it whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn count(number: &mut u64) {
    *number = number.saturating_add(1);
}

impl Numbers {
    fn write(&self, text: &mut String) -> std::fmt::Result {
        head(
            text,
            "mcp_requests_total",
            "counter",
            "Requests to the MCP endpoint, by class of status.",
        )?;
        for (status, number) in &self.requests {
            writeln!(text, "mcp_requests_total{{status=\"{status}\"}} {number}")?;
        }
        head(
            text,
            "mcp_refused_total",
            "counter",
            "Requests that the guard refused, by reason.",
        )?;
        for (reason, number) in &self.refused {
            writeln!(text, "mcp_refused_total{{reason=\"{reason}\"}} {number}")?;
        }
        head(
            text,
            "mcp_tool_calls_total",
            "counter",
            "Calls of tools, by tool and outcome.",
        )?;
        for ((tool, outcome), number) in &self.calls {
            writeln!(
                text,
                "mcp_tool_calls_total{{tool=\"{tool}\",outcome=\"{outcome}\"}} {number}"
            )?;
        }
        let name = "upstream_request_duration_seconds";
        head(
            text,
            name,
            "histogram",
            "Requests to the Didit API and to the issuer.",
        )?;
        for ((whom, status), histogram) in &self.upstream {
            let labels = format!("whom=\"{whom}\",status=\"{status}\"");
            for (bound, number) in BOUNDS_MS.iter().zip(histogram.buckets) {
                let bound = Duration::from_millis(*bound).as_secs_f64();
                writeln!(text, "{name}_bucket{{{labels},le=\"{bound}\"}} {number}")?;
            }
            let (number, sum) = (histogram.count, histogram.sum.as_secs_f64());
            writeln!(text, "{name}_bucket{{{labels},le=\"+Inf\"}} {number}")?;
            writeln!(text, "{name}_sum{{{labels}}} {sum}")?;
            writeln!(text, "{name}_count{{{labels}}} {number}")?;
        }
        Ok(())
    }
}

fn head(text: &mut String, name: &str, kind: &str, says: &str) -> std::fmt::Result {
    writeln!(text, "# HELP {name} {says}\n# TYPE {name} {kind}")
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use resource_guard::Reason;

    use super::*;

    #[test]
    fn the_text_is_what_prometheus_reads() {
        let metrics = Metrics::default();
        for status in [200, 202, 401, 503] {
            metrics.answered(StatusCode::from_u16(status).unwrap());
        }
        metrics.refused(&Reason::NoToken);
        metrics.refused(&Reason::TokenTooLong { bytes: 1 });
        metrics.called("didit_session_list", "ok");
        metrics.called("didit_session_list", "ok");
        metrics.called("didit_session_list", "forbidden");
        metrics.asked("api", "2xx", Duration::from_millis(30));
        metrics.asked("api", "2xx", Duration::from_secs(40));
        let text = metrics.text();
        for line in [
            "# TYPE mcp_requests_total counter",
            "mcp_requests_total{status=\"2xx\"} 2",
            "mcp_requests_total{status=\"5xx\"} 1",
            "mcp_refused_total{reason=\"NoToken\"} 1",
            "mcp_refused_total{reason=\"TokenTooLong\"} 1",
            "mcp_tool_calls_total{tool=\"didit_session_list\",outcome=\"ok\"} 2",
            "mcp_tool_calls_total{tool=\"didit_session_list\",outcome=\"forbidden\"} 1",
            "upstream_request_duration_seconds_bucket{whom=\"api\",status=\"2xx\",le=\"0.025\"} 0",
            "upstream_request_duration_seconds_bucket{whom=\"api\",status=\"2xx\",le=\"0.05\"} 1",
            "upstream_request_duration_seconds_bucket{whom=\"api\",status=\"2xx\",le=\"30\"} 1",
            "upstream_request_duration_seconds_bucket{whom=\"api\",status=\"2xx\",le=\"+Inf\"} 2",
            "upstream_request_duration_seconds_sum{whom=\"api\",status=\"2xx\"} 40.03",
            "upstream_request_duration_seconds_count{whom=\"api\",status=\"2xx\"} 2",
        ] {
            assert!(
                text.lines().any(|written| written == line),
                "{line} is not in:\n{text}"
            );
        }
        assert!(text.ends_with('\n'));
    }
}
