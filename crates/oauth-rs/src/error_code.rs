//! The error codes of OAuth and its extensions: wire name, status and origin in one table.

use std::fmt;

use http::StatusCode;

macro_rules! table {
    ($($variant:ident, $name:literal, $status:ident, $specification:literal;)*) => {
        /// An error code that this family of crates sends or understands.
        ///
        /// ```
        /// use oauth_rs::error_code::ErrorCode;
        ///
        /// assert_eq!(ErrorCode::parse("invalid_grant"), Some(ErrorCode::InvalidGrant));
        /// assert_eq!(ErrorCode::parse("Invalid_Grant"), None);
        /// assert_eq!(ErrorCode::InvalidClient.status().as_u16(), 401);
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorCode {
            $(
                #[doc = concat!("`", $name, "`, ", $specification, ".")]
                $variant,
            )*
        }

        impl ErrorCode {
            /// Every code, in the order of the table.
            pub const ALL: &'static [ErrorCode] = &[$(ErrorCode::$variant),*];

            /// The name on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The status of a direct answer that carries the code.
            ///
            /// For the codes of RFC 6750 that is the status at the protected resource, for all
            /// others the status at the token, registration or pushed-request endpoint.
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status,)* }
            }

            /// The document and section that define the code.
            pub const fn specification(self) -> &'static str {
                match self { $(Self::$variant => $specification,)* }
            }

            /// Finds a code by its name on the wire, compared exactly.
            pub fn parse(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

table! {
    InvalidRequest, "invalid_request", BAD_REQUEST, "RFC 6749 section 5.2";
    InvalidClient, "invalid_client", UNAUTHORIZED, "RFC 6749 section 5.2";
    InvalidGrant, "invalid_grant", BAD_REQUEST, "RFC 6749 section 5.2";
    UnauthorizedClient, "unauthorized_client", BAD_REQUEST, "RFC 6749 section 5.2";
    UnsupportedGrantType, "unsupported_grant_type", BAD_REQUEST, "RFC 6749 section 5.2";
    InvalidScope, "invalid_scope", BAD_REQUEST, "RFC 6749 section 5.2";
    UnsupportedResponseType, "unsupported_response_type", BAD_REQUEST, "RFC 6749 section 4.1.2.1";
    AccessDenied, "access_denied", BAD_REQUEST, "RFC 6749 section 4.1.2.1";
    ServerError, "server_error", INTERNAL_SERVER_ERROR, "RFC 6749 section 4.1.2.1";
    TemporarilyUnavailable, "temporarily_unavailable", SERVICE_UNAVAILABLE, "RFC 6749 section 4.1.2.1";
    InvalidToken, "invalid_token", UNAUTHORIZED, "RFC 6750 section 3.1";
    InsufficientScope, "insufficient_scope", FORBIDDEN, "RFC 6750 section 3.1";
    UnsupportedTokenType, "unsupported_token_type", BAD_REQUEST, "RFC 7009 section 2.2.1";
    InvalidRedirectUri, "invalid_redirect_uri", BAD_REQUEST, "RFC 7591 section 3.2.2";
    InvalidClientMetadata, "invalid_client_metadata", BAD_REQUEST, "RFC 7591 section 3.2.2";
    InvalidSoftwareStatement, "invalid_software_statement", BAD_REQUEST, "RFC 7591 section 3.2.2";
    UnapprovedSoftwareStatement, "unapproved_software_statement", BAD_REQUEST, "RFC 7591 section 3.2.2";
    AuthorizationPending, "authorization_pending", BAD_REQUEST, "RFC 8628 section 3.5";
    SlowDown, "slow_down", BAD_REQUEST, "RFC 8628 section 3.5";
    ExpiredToken, "expired_token", BAD_REQUEST, "RFC 8628 section 3.5";
    InvalidTarget, "invalid_target", BAD_REQUEST, "RFC 8707 section 2";
    InvalidRequestUri, "invalid_request_uri", BAD_REQUEST, "RFC 9101 section 7";
    InvalidRequestObject, "invalid_request_object", BAD_REQUEST, "RFC 9101 section 7";
    RequestNotSupported, "request_not_supported", BAD_REQUEST, "RFC 9101 section 7";
    RequestUriNotSupported, "request_uri_not_supported", BAD_REQUEST, "RFC 9101 section 7";
    InvalidAuthorizationDetails, "invalid_authorization_details", BAD_REQUEST, "RFC 9396 section 5";
    InvalidDpopProof, "invalid_dpop_proof", BAD_REQUEST, "RFC 9449 section 5";
    UseDpopNonce, "use_dpop_nonce", BAD_REQUEST, "RFC 9449 section 8";
    InsufficientUserAuthentication, "insufficient_user_authentication", UNAUTHORIZED, "RFC 9470 section 3";
    LoginRequired, "login_required", BAD_REQUEST, "OpenID Connect Core section 3.1.2.6";
    InteractionRequired, "interaction_required", BAD_REQUEST, "OpenID Connect Core section 3.1.2.6";
    ConsentRequired, "consent_required", BAD_REQUEST, "OpenID Connect Core section 3.1.2.6";
    UnmetAuthenticationRequirements, "unmet_authentication_requirements", BAD_REQUEST, "OpenID Connect Core Error Code unmet_authentication_requirements section 2";
    AccountSelectionRequired, "account_selection_required", BAD_REQUEST, "OpenID Connect Core section 3.1.2.6";
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_back_to_its_code_and_fits_the_grammar() {
        for code in ErrorCode::ALL {
            assert_eq!(ErrorCode::parse(code.as_str()), Some(*code));
            assert!(
                code.as_str()
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b == b'_')
            );
            assert!(code.status().is_client_error() || code.status().is_server_error());
        }
        assert_eq!(ErrorCode::parse(""), None);
    }

    #[test]
    fn the_statuses_that_are_not_400() {
        let others: Vec<(&str, u16)> = ErrorCode::ALL
            .iter()
            .map(|code| (code.as_str(), code.status().as_u16()))
            .filter(|(_, status)| *status != 400)
            .collect();
        assert_eq!(
            others,
            [
                ("invalid_client", 401),
                ("server_error", 500),
                ("temporarily_unavailable", 503),
                ("invalid_token", 401),
                ("insufficient_scope", 403),
                ("insufficient_user_authentication", 401),
            ]
        );
    }
}
