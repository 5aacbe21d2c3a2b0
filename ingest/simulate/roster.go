package simulate

import (
	"fmt"

	"weimang/ingest"
)

// Household is a home as the roster knows it, with the label people in the
// village use for it: group and number, "3组12号". It never holds a name.
type Household struct {
	ingest.Home
	Label string
}

// maxHouseholds is what the serial part of a meter id can tell apart.
const maxHouseholds = 10_000_000

// homesPerGroup is the usual size of a villagers' group.
const homesPerGroup = 12

// Ids depend on the place of a home in the village alone, not on the seed nor
// on the number of homes: story, roster and photographs of both stay valid.
// Steps coprime to the range make them look drawn without ever meeting twice.

// HouseholdID is the opaque id of the home at an index, such as "h-0317".
func HouseholdID(index int) string {
	if index < 10_000 {
		return fmt.Sprintf("h-%04d", (317+index*7919)%10_000)
	}
	return fmt.Sprintf("h-%07d", (317+index*7_919_003)%maxHouseholds)
}

// meterID is twelve digits as the State Grid writes them: five for region and
// batch, seven for the serial number.
func meterID(index int) string {
	return fmt.Sprintf("33021%07d", (4_185_227+index*3_571_081)%maxHouseholds)
}

// AreaID is the id of the area at an index, such as "tq-01".
func AreaID(index int) string { return fmt.Sprintf("tq-%02d", index+1) }

// label numbers the houses of a group upwards, with gaps.
func label(index int) string {
	group, house := index/homesPerGroup, index%homesPerGroup
	return fmt.Sprintf("%d组%d号", group+1, 1+3*house+(index*7)%3)
}

func areaOf(index int, o *Options) int { return index * o.Areas / o.Households }

func roster(o *Options) []Household {
	homes := make([]Household, o.Households)
	for i := range homes {
		homes[i] = Household{
			Home: ingest.Home{
				MeterID:     meterID(i),
				HouseholdID: HouseholdID(i),
				AreaID:      AreaID(areaOf(i, o)),
				VillageID:   o.Village,
				Zone:        o.Zone,
			},
			Label: label(i),
		}
	}
	return homes
}
