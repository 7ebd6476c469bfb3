//! Peers that misbehave, power that fails, disks that fill.
fn main() {}
