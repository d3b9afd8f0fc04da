-- How many digits a PIN has, so that the telephone knows when one is whole and needs no hash.
-- +goose Up

ALTER TABLE account ADD COLUMN pin_digits INTEGER NOT NULL DEFAULT 6;
CREATE INDEX account_pin_digits ON account (pin_digits);
