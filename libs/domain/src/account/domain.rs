//! Which part of a web or mail domain somebody registered.

use std::net::IpAddr;

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};
use smol_str::SmolStr;

/// Providers of mailboxes for anybody: an address there says nothing about where its owner works. Several have the same name
/// under many suffixes.
const FREE_MAIL: [&str; 39] = [
    "126.com",
    "163.com",
    "aol.com",
    "bol.com.br",
    "btinternet.com",
    "comcast.net",
    "fastmail.com",
    "free.fr",
    "freenet.de",
    "googlemail.com",
    "icloud.com",
    "inbox.ru",
    "laposte.net",
    "libero.it",
    "list.ru",
    "mac.com",
    "mail.com",
    "mail.ru",
    "me.com",
    "mailinator.com",
    "msn.com",
    "naver.com",
    "o2.pl",
    "orange.fr",
    "proton.me",
    "protonmail.com",
    "qq.com",
    "rambler.ru",
    "rediffmail.com",
    "rocketmail.com",
    "sbcglobal.net",
    "seznam.cz",
    "t-online.de",
    "tutanota.com",
    "uol.com.br",
    "wanadoo.fr",
    "web.de",
    "wp.pl",
    "ymail.com",
];

/// The same under any suffix: `yahoo.co.jp`.
const FREE_MAIL_EVERYWHERE: [&str; 7] = ["gmail", "gmx", "hotmail", "live", "outlook", "yahoo", "yandex"];

/// The registrable domain of a host, a URL or an e-mail address, in lower-case ASCII.
///
/// # Errors
/// What is wrong, in words.
pub(super) fn registrable(text: &str) -> Result<SmolStr, String> {
    let host = host(text);
    if host.is_empty() {
        return Err("there is no host name in it".to_owned());
    }
    if host.starts_with('[') || host.parse::<IpAddr>().is_ok() {
        return Err("an IP address does not say who the customer is".to_owned());
    }
    let ascii = Uts46::new()
        .to_ascii(host.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast, DnsLength::Verify)
        .map_err(|_| "it is not a host name".to_owned())?;
    // IDNA maps digits of other scripts to ASCII, so this is asked again.
    let last = ascii.rsplit('.').next().unwrap_or_default();
    if ascii.parse::<IpAddr>().is_ok() || last.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("an IP address does not say who the customer is".to_owned());
    }
    let Some(suffix) = psl::suffix(ascii.as_bytes()).filter(psl::Suffix::is_known) else {
        return Err(format!("{ascii} does not end in a known public suffix, such as .com"));
    };
    let Some(domain) = psl::domain_str(&ascii) else {
        return Err(format!("{ascii} is a public suffix: anybody may register below it"));
    };
    let everywhere = suffix.typ() == Some(psl::Type::Icann)
        && domain.split('.').next().is_some_and(|name| FREE_MAIL_EVERYWHERE.contains(&name));
    if everywhere || FREE_MAIL.contains(&domain) {
        return Err(format!("{domain} gives mailboxes to anybody and does not say who the customer is"));
    }
    Ok(SmolStr::new(domain))
}

/// The host in a URL, an e-mail address, or what is one already.
fn host(text: &str) -> &str {
    let text = text.trim();
    let text = text.split_once("://").map_or(text, |(_, rest)| rest);
    let text = text.strip_prefix("mailto:").unwrap_or(text);
    let authority = text.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = match host.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !host.contains(':') => host,
        _ => host,
    };
    host.strip_suffix('.').unwrap_or(host)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn domains() {
        let rows = [
            ("acme.com", "acme.com"),
            (" WWW.Acme.COM. ", "acme.com"),
            ("https://shop.acme.co.uk:8443/a?b#c", "acme.co.uk"),
            ("http://user:secret@www.acme.de", "acme.de"),
            ("jane.doe@mail.acme.com.au", "acme.com.au"),
            ("mailto:jane@acme.fr", "acme.fr"),
            ("www.müller-söhne.de", "xn--mller-shne-kcb9d.de"),
            ("xn--mller-shne-kcb9d.de", "xn--mller-shne-kcb9d.de"),
            ("例え.jp", "xn--r8jz45g.jp"),
            ("acme。com", "acme.com"),
            ("my-shop.myshopify.com", "my-shop.myshopify.com"),
            ("a.b.compute.amazonaws.com", "a.b.compute.amazonaws.com"),
            ("gmail.acme.com", "acme.com"),
            ("livenation.com", "livenation.com"),
        ];
        for (text, expected) in rows {
            assert_eq!(registrable(text).as_deref(), Ok(expected), "{text}");
        }
    }

    /// One row per refusal.
    #[test]
    fn refusals() {
        let rows = [
            ("", "no host name"),
            ("https://", "no host name"),
            ("jane@", "no host name"),
            ("192.168.0.1", "IP address"),
            ("http://10.0.0.1:80/", "IP address"),
            ("[2001:db8::1]:443", "IP address"),
            ("2001:db8::1", "IP address"),
            ("１９２.168.0.1", "IP address"),
            ("1.2.3", "IP address"),
            ("co.uk", "public suffix"),
            ("com", "public suffix"),
            ("github.io", "public suffix"),
            ("acme.local", "known public suffix"),
            ("localhost", "known public suffix"),
            ("gmail.com", "mailboxes"),
            ("jane@googlemail.com", "mailboxes"),
            ("yahoo.co.jp", "mailboxes"),
            ("mail.live.com", "mailboxes"),
            ("acme .com", "not a host name"),
            ("acme..com", "not a host name"),
            (".acme.com", "not a host name"),
            ("-acme.com", "not a host name"),
            ("ac_me.com", "not a host name"),
            ("acme.com:https", "not a host name"),
            ("xn--a.com", "not a host name"),
            ("a\u{0}b.com", "not a host name"),
        ];
        for (text, problem) in rows {
            let error = registrable(text).unwrap_err();
            assert!(error.contains(problem), "{text:?}: {error}");
        }
        assert!(registrable(&format!("{}.com", "a".repeat(64))).is_err());
        assert!(registrable(&format!("{}com", "a.".repeat(200))).is_err());
    }

    proptest! {
        #[test]
        fn nothing_panics_and_what_is_taken_stays(text in ".{0,60}", hostish in "[a-zA-Zß。.@:/-]{0,40}\\.(com|co\\.uk|de)") {
            for text in [text, hostish] {
                if let Ok(domain) = registrable(&text) {
                    prop_assert_eq!(registrable(&domain), Ok(domain.clone()));
                    prop_assert!(domain.is_ascii() && !domain.bytes().any(|byte| byte.is_ascii_uppercase()));
                }
            }
        }
    }
}
