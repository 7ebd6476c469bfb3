//! The form that uploaders send, without an uploader.

use std::fmt::Write as _;

use crate::Dist;

/// What a form calls itself: the `Content-Type` of the request that brings it.
pub const FORM: &str = "multipart/form-data; boundary=cut";

/// A form with these fields and the file of this name.
pub fn form(fields: &[(&str, &str)], filename: &str, content: &[u8]) -> Vec<u8> {
    let mut head = String::new();
    for (name, value) in fields {
        let _ = write!(
            head,
            "--cut\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        );
    }
    let _ = write!(
        head,
        "--cut\r\nContent-Disposition: form-data; name=\"content\"; filename=\"{filename}\"\r\n\r\n"
    );
    [head.as_bytes(), content, b"\r\n--cut--\r\n"].concat()
}

impl Dist {
    /// The form that uploads this wheel as one of `project`.
    pub fn form(&self, project: &str) -> Vec<u8> {
        let (filename, content) = self.file(project);
        let fields = [
            (":action", "file_upload"),
            ("protocol_version", "1"),
            ("name", project),
            ("version", self.version()),
            ("filetype", "bdist_wheel"),
            ("pyversion", "py3"),
            ("metadata_version", "2.1"),
        ];
        form(&fields, &filename, &content)
    }
}
