//! Whether a text can be the name of a time zone.

/// Longest part of a name; the longest in the database has 14.
const PART_BYTES_MAX: usize = 32;

/// Whether the text is written like an IANA name: `UTC`, `Asia/Shanghai`, `America/Argentina/Ushuaia`.
#[must_use]
pub fn is_time_zone(text: &str) -> bool {
    let mut parts = 0;
    let well_formed = text.split('/').all(|part| {
        parts += 1;
        let starts_with_a_letter = part.bytes().next().is_some_and(|byte| byte.is_ascii_uppercase());
        let letters = part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+-".contains(&byte));
        starts_with_a_letter && letters && part.len() <= PART_BYTES_MAX
    });
    well_formed && parts <= 3 && (parts > 1 || text == "UTC")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_utc_or_an_area_with_a_place() {
        for zone in ["UTC", "Asia/Shanghai", "America/Argentina/Ushuaia", "Etc/GMT+8", "America/Port-au-Prince"] {
            assert!(is_time_zone(zone), "{zone}");
        }
        for text in ["", "CST", "asia/shanghai", "Asia/", "/Shanghai", "Asia/../etc", "A/B/C/D", "+08:00", "Asia/Shang hai"] {
            assert!(!is_time_zone(text), "{text}");
        }
    }
}
