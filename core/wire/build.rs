//! Turns `data/tokens.json` into constant tables: the tokens by number, and a perfect hash that finds the
//! number of a text with one probe. Nothing is built at run time and nothing lives on the heap.

use std::{env, error::Error, fmt::Write as _, fs, path::Path};

#[path = "src/tokens/hash.rs"]
mod hash;

/// What the wire format fixes: 236 single-byte codes (0 is unused), four dictionaries of 256.
const SINGLE: usize = 236;
const DOUBLE: usize = 4 * 256;

type Failure = Box<dyn Error>;

fn main() -> Result<(), Failure> {
    println!("cargo::rerun-if-changed=data/tokens.json");
    println!("cargo::rerun-if-changed=src/tokens/hash.rs");
    println!("cargo::rerun-if-changed=build.rs");

    let json = fs::read_to_string("data/tokens.json")?;
    let tokens = read_tokens(&json)?;
    let (displacements, slots) = place(&tokens)?;

    let mut source = String::new();
    table(&mut source, "TOKENS: [&str; TOKEN_COUNT]", tokens.iter().map(|t| format!("{t:?}")))?;
    table(&mut source, "DISPLACEMENTS: [u16; hash::BUCKETS]", displacements.iter().map(u16::to_string))?;
    table(&mut source, "SLOTS: [u16; hash::SLOTS]", slots.iter().map(u16::to_string))?;
    let folder = env::var("OUT_DIR")?;
    fs::write(Path::new(&folder).join("tokens.rs"), source)?;
    Ok(())
}

fn table(out: &mut String, head: &str, items: impl Iterator<Item = String>) -> Result<(), Failure> {
    writeln!(out, "static {head} = [{}];", items.collect::<Vec<_>>().join(","))?;
    Ok(())
}

/// The file holds one flat list and one list of four lists, all of plain strings. Tokens are printable ASCII
/// without quotes or backslashes, so everything between two quotes is a token.
fn read_tokens(json: &str) -> Result<Vec<&str>, Failure> {
    let (_, rest) = json.split_once("\"single\"").ok_or("tokens.json has no \"single\"")?;
    let (single, double) = rest.split_once("\"double\"").ok_or("tokens.json has no \"double\"")?;
    if json.contains('\\') {
        return Err("tokens.json contains an escape".into());
    }
    let mut tokens = quoted(single);
    if tokens.len() != SINGLE {
        return Err(format!("{} single-byte tokens instead of {SINGLE}", tokens.len()).into());
    }
    tokens.extend(quoted(double));
    if tokens.len() != SINGLE + DOUBLE {
        return Err(format!("{} tokens instead of {}", tokens.len(), SINGLE + DOUBLE).into());
    }
    Ok(tokens)
}

fn quoted(list: &str) -> Vec<&str> {
    list.split('"').skip(1).step_by(2).collect()
}

/// Hash and displace: buckets are placed largest first, each with the first displacement that puts all its
/// tokens into free slots.
fn place(tokens: &[&str]) -> Result<(Vec<u16>, Vec<u16>), Failure> {
    let mut buckets: Vec<(usize, Vec<(u64, u16)>)> = (0..hash::BUCKETS).map(|b| (b, Vec::new())).collect();
    for (number, token) in tokens.iter().enumerate().skip(1) {
        let hash = hash::hash(token.as_bytes());
        let (_, bucket) = buckets.get_mut(hash::bucket(hash)).ok_or("bucket out of range")?;
        bucket.push((hash, u16::try_from(number)?));
    }
    buckets.sort_by_key(|(_, members)| std::cmp::Reverse(members.len()));

    let mut displacements = vec![0_u16; hash::BUCKETS];
    let mut slots = vec![0_u16; hash::SLOTS];
    for (bucket, members) in &buckets {
        let (displacement, wanted) = (0..=u16::MAX)
            .find_map(|d| free_slots(&slots, members, d).map(|wanted| (d, wanted)))
            .ok_or("two tokens have the same hash")?;
        *displacements.get_mut(*bucket).ok_or("bucket out of range")? = displacement;
        for (slot, (_, number)) in wanted.iter().zip(members) {
            *slots.get_mut(*slot).ok_or("slot out of range")? = *number;
        }
    }
    Ok((displacements, slots))
}

fn free_slots(slots: &[u16], members: &[(u64, u16)], displacement: u16) -> Option<Vec<usize>> {
    let mut wanted = Vec::with_capacity(members.len());
    for (hash, _) in members {
        let slot = hash::slot(*hash, displacement);
        if slots.get(slot) != Some(&0) || wanted.contains(&slot) {
            return None;
        }
        wanted.push(slot);
    }
    Some(wanted)
}
