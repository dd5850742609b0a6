//! Checks of faces.

use super::{
    Feature, Form, STATUS_RULES, Setting, Subject, action, flag, json_of, percent, setting, stern,
    whole,
};

const METHODS: Form = Form::Choice(&["ACTIVE_3D", "FLASHING", "PASSIVE"]);

const LIVENESS: &[Setting] = &[
    action("cross_org_fraud_face_action")
        .says("No longer applied; use cross_org_identity_claim_pattern_action."),
    action("cross_org_identity_claim_pattern_action").says("DECLINE counts as REVIEW."),
    action("external_capture_device_action"),
    flag("face_audio_recording_enabled"),
    action("face_liveness_duplicated_face_name_mismatch_action"),
    setting("face_liveness_flash_mode", Form::Text),
    whole("face_liveness_max_attempts", 1, 3),
    setting("face_liveness_method", METHODS),
    setting("face_liveness_mode", Form::Text),
    action("face_liveness_multiple_faces_action"),
    action("face_liveness_possible_duplicated_face_action"),
    percent("face_liveness_score_decline_threshold"),
    percent("face_liveness_score_review_threshold"),
    action("face_luminance_max_action"),
    percent("face_luminance_max_threshold"),
    action("face_luminance_min_action"),
    percent("face_luminance_min_threshold"),
    flag("face_privacy_mode_enabled"),
    percent("face_quality_decline_threshold"),
    percent("face_quality_review_threshold"),
    action("frame_injection_action"),
    json_of(
        "race_map_similarity_thresholds",
        r#"{"<group>": {"possible": 0-100, "high": 0-100}}"#,
    ),
    action("screen_capture_action"),
    STATUS_RULES,
    action("virtual_camera_action"),
];

const AGE_ESTIMATION: &[Setting] = &[
    whole("borderline_maximum_age_threshold", 1, 100),
    whole("borderline_minimum_age_threshold", 1, 100),
    flag("enable_id_verification_fallback")
        .says("Between the two borderline ages a document is asked for."),
    action("external_capture_device_action"),
    flag("face_audio_recording_enabled"),
    action("face_liveness_duplicated_face_name_mismatch_action"),
    setting("face_liveness_flash_mode", Form::Text),
    whole("face_liveness_max_attempts", 1, 3),
    setting("face_liveness_method", METHODS),
    action("face_liveness_multiple_faces_action"),
    action("face_liveness_possible_duplicated_face_action"),
    setting("face_liveness_score_decline_threshold", Form::Number),
    setting("face_liveness_score_review_threshold", Form::Number),
    action("face_luminance_max_action"),
    percent("face_luminance_max_threshold"),
    action("face_luminance_min_action"),
    percent("face_luminance_min_threshold"),
    flag("face_privacy_mode_enabled"),
    percent("face_quality_decline_threshold"),
    percent("face_quality_review_threshold"),
    action("frame_injection_action"),
    whole("minimum_age_threshold", 1, 100),
    action("screen_capture_action"),
    STATUS_RULES,
    action("virtual_camera_action"),
];

const FACE_MATCH: &[Setting] = &[
    action("face_match_eyes_covered_action"),
    action("face_match_face_covered_action"),
    whole("face_match_max_attempts", 1, 3),
    action("face_match_mouth_covered_action"),
    stern("face_match_not_computed_action"),
    percent("face_match_score_decline_threshold"),
    percent("face_match_score_review_threshold"),
    STATUS_RULES,
];

pub(super) const FEATURES: &[Feature] = &[
    Feature {
        name: "LIVENESS",
        subject: Subject::Person,
        says: "Checks that a living person is in front of the camera.",
        settings: Some(LIVENESS),
    },
    Feature {
        name: "FACE_MATCH",
        subject: Subject::Person,
        says: "Compares the face with the portrait on the document; it comes after OCR and LIVENESS.",
        settings: Some(FACE_MATCH),
    },
    Feature {
        name: "AGE_ESTIMATION",
        subject: Subject::Person,
        says: "Estimates the age from the face.",
        settings: Some(AGE_ESTIMATION),
    },
];
