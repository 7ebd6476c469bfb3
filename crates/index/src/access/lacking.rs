//! What somebody lacks who may not do a thing, for whoever may know of the index.

use super::{Caller, Permission, Reach, Rules, Scope};
use crate::IndexName;

impl Caller {
    /// Why they may not do this to so much of an index: a clause to stand behind a colon.
    ///
    /// Tells whom the index does not concern that there is one: hide it from them first.
    pub fn lacks(
        &self,
        permission: Permission,
        index: &IndexName,
        reach: Reach<'_>,
        rules: &Rules<'_>,
    ) -> String {
        let Some(user) = &self.user else {
            return "nobody is logged in".to_owned();
        };
        let without_token = Self {
            limits: None,
            ..self.clone()
        };
        let limits = self.limits.as_deref();
        match limits.filter(|_| without_token.may(permission, index, reach, rules)) {
            Some(limits) => limits.keep_from(permission, index),
            None => match permission {
                Permission::Read => format!("its `acl_pkg_read` does not name {user}"),
                Permission::TestResult => {
                    format!("its `acl_toxresult_upload` does not name {user}")
                }
                Permission::Upload | Permission::Remove => {
                    format!("its `acl_upload` does not name {user}")
                }
                Permission::Modify => format!("{user} does not look after it"),
            },
        }
    }
}

impl Scope {
    /// Which limit keeps a token from this, if its kind and its index do not: its project.
    fn keep_from(&self, permission: Permission, index: &IndexName) -> String {
        let right = match permission {
            Permission::Read => (!self.read).then_some("read"),
            Permission::Upload | Permission::TestResult => (!self.upload).then_some("upload"),
            Permission::Remove => (!self.remove).then_some("remove"),
            Permission::Modify => Some("change settings"),
        };
        if let Some(right) = right {
            return format!("this token has no right to {right}");
        }
        match (&self.index, &self.project) {
            (Some(only), _) if only != index => format!("this token is for {only} alone"),
            (_, Some(only)) => format!("this token is for project `{only}` alone"),
            (_, None) => "this token is for something else".to_owned(),
        }
    }
}
