//! appraise
