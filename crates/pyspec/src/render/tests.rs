//! Pages, written and read again.
