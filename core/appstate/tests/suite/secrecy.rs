use whimbrel_appstate::{Entry, Held, KeyId, Keys, LtHash};

#[test]
fn nothing_secret_is_printed() {
    assert_eq!(format!("{:?}", Keys::expand(&[0xab; 32])), "Keys(..)");
    let entry = Entry::new(&["contact", "15550001@s.whatsapp.net"], b"name".to_vec(), 2);
    assert_eq!(format!("{entry:?}"), "Entry { index: 37, value: 4, version: 2 }");
    let held = Held { index_mac: [1; 32], value_mac: [2; 32], key_id: KeyId::new(0, 5), entry };
    assert!(!format!("{held:?}").contains("contact"));
    assert_eq!(format!("{:?}", LtHash::EMPTY), "LtHash(0000…)");
}
