// Package message words what people are told: what a village chair can read
// aloud to a neighbour, what a daughter reads who lives far away, what an old
// woman is asked. It implements alerts.Wording, and gives the pages on which
// people answer their words.
//
// Texts stand in YAML files, four for each language, Chinese first, English
// second: findings (zh-CN.yaml), who is told what for (zh-CN.people.yaml),
// templates for SMS (zh-CN.short.yaml), answers and their pages
// (zh-CN.answers.yaml).
//
// It decides nothing: neither who is told nor how urgent it is nor what may be
// known of whom. Names and addresses come in where a notice gives them; what
// others have written is made harmless here, and only here (clean.go).
package message
