//! Attestations that come with an upload ([PEP 740](https://peps.python.org/pep-0740/)).
//!
//! They are kept and offered as they are. Who signed them is for the reader to check;
//! only that they are about this file is checked here, because an attestation of
//! another file is a mistake of whoever sent it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pyspec::{Digest, Filename};
use serde_json::{Value, json};

use super::form::bad;
use crate::Error;

/// Longer than any list of attestations.
const LONGEST: usize = 1 << 20;

/// The provenance of a file, from the `attestations` of its upload form.
pub(super) fn provenance(
    attestations: &str,
    filename: &Filename,
    digest: &Digest,
    who: Option<&str>,
) -> Result<Vec<u8>, Error> {
    let refused = |why: &str| bad(format!("the attestations of {filename} are refused: {why}"));
    if attestations.len() > LONGEST {
        return Err(refused("they are longer than 1 MiB"));
    }
    let list: Vec<Value> = serde_json::from_str(attestations)
        .map_err(|error| refused(&format!("they are not a list in JSON ({error})")))?;
    if list.is_empty() {
        return Err(refused("the list is empty"));
    }
    for attestation in &list {
        if attestation["version"] != 1 || !attestation["verification_material"].is_object() {
            return Err(refused("one of them is not of version 1"));
        }
        let subject =
            subject(attestation).ok_or_else(|| refused("one of them has no statement"))?;
        if subject != digest.to_string() {
            return Err(refused("one of them is about another file"));
        }
    }
    let provenance = json!({
        "version": 1,
        "attestation_bundles": [{
            "publisher": { "kind": "pilothouse", "claims": null, "user": who },
            "attestations": list,
        }],
    });
    Ok(serde_json::to_vec(&provenance).expect("JSON can always be written"))
}

/// The SHA-256 of the one file that an attestation is about.
fn subject(attestation: &Value) -> Option<String> {
    let statement = attestation["envelope"]["statement"].as_str()?;
    let statement: Value = serde_json::from_slice(&STANDARD.decode(statement).ok()?).ok()?;
    let digest = statement["subject"][0]["digest"]["sha256"].as_str()?;
    Some(digest.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attestation(digest: &str) -> Value {
        let statement = json!({ "subject": [{ "name": "x", "digest": { "sha256": digest } }] });
        json!({
            "version": 1,
            "verification_material": { "certificate": "" },
            "envelope": { "statement": STANDARD.encode(statement.to_string()), "signature": "" },
        })
    }

    fn outcome(attestations: &str) -> Result<Value, String> {
        let digest = "ab".repeat(32).parse().unwrap();
        let filename = "foo-1.0.tar.gz".parse().unwrap();
        provenance(attestations, &filename, &digest, Some("alice"))
            .map(|bytes| serde_json::from_slice(&bytes).unwrap())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn attestations_become_provenance() {
        let good = attestation(&"AB".repeat(32));
        let provenance = outcome(&json!([good]).to_string()).unwrap();
        assert_eq!(
            provenance["attestation_bundles"][0]["attestations"][0],
            good
        );
        assert_eq!(
            provenance["attestation_bundles"][0]["publisher"]["user"],
            "alice"
        );
        assert_eq!(provenance["version"], 1);
    }

    #[test]
    fn what_is_no_attestation_of_this_file_is_refused() {
        let other = json!([attestation(&"cd".repeat(32))]).to_string();
        for (text, why) in [
            ("[]", "the list is empty"),
            ("[{}]", "one of them is not of version 1"),
            (
                r#"[{"version":1,"verification_material":{}}]"#,
                "one of them has no statement",
            ),
            (other.as_str(), "one of them is about another file"),
        ] {
            assert_eq!(
                outcome(text).unwrap_err(),
                format!("the attestations of foo-1.0.tar.gz are refused: {why}")
            );
        }
        assert!(outcome("{").is_err());
        assert!(outcome(&"[".repeat(LONGEST + 1)).is_err());
    }
}
